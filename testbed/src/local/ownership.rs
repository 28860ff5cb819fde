//! Who owns the local cluster and whether it is whole: the record that a start leaves, and what is made of it later.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::plan;

/// What a running cluster is, written while it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The checkout whose `up` started it.
    pub(crate) checkout: PathBuf,
    /// The programs it runs.
    pub(crate) binaries: String,
    /// Ordinary nodes.
    pub(crate) nodes: u8,
    /// Whether there is a node with a kernel of its own.
    pub(crate) nfs_node: bool,
    /// Whether the start came to its end.
    pub(crate) complete: bool,
    /// Its long-running processes.
    pub(crate) processes: Vec<Process>,
}

/// A process, recognised beyond the reuse of its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Process {
    /// What it is, as in the names of the logs.
    pub(crate) name: String,
    /// Its process id.
    pub(crate) pid: u32,
    /// When it started, in clock ticks since boot (field 22 of /proc/PID/stat).
    pub(crate) started: u64,
}

/// What is on this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No cluster.
    Nothing,
    /// One that can be used as it is.
    Ours(Record),
    /// One that only `--replace` may remove; the words say whose, and why it cannot be used.
    InTheWay(String),
}

/// What is asked of a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// This checkout.
    pub(crate) checkout: &'a Path,
    /// The programs it would run.
    pub(crate) binaries: &'a str,
    /// Ordinary nodes, if that matters.
    pub(crate) nodes: Option<u8>,
    /// A node with a kernel of its own. More than asked for is no reason to start anew.
    pub(crate) nfs_node: bool,
}

/// Looks at this machine.
pub(crate) fn look(wanted: &Wanted<'_>) -> Found {
    if !Path::new(plan::STATE).exists() {
        return Found::Nothing;
    }
    match read() {
        Some(record) => judge(record, wanted, Process::is_alive),
        None => {
            Found::InTheWay(format!("{} holds what is left of a cluster, without its record", plan::STATE))
        }
    }
}

/// The record of the cluster on this machine.
pub(crate) fn read() -> Option<Record> {
    serde_json::from_str(&std::fs::read_to_string(path()).ok()?).ok()
}

/// Another checkout, which is still there and owns the cluster on this machine.
pub(crate) fn other_owner(checkout: &Path) -> Option<PathBuf> {
    read().map(|record| record.checkout).filter(|owner| owner != checkout && owner.exists())
}

impl Record {
    /// Writes the record, whole or not at all.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let unfinished = path().with_extension("unfinished");
        fs::write(&unfinished, serde_json::to_string_pretty(self)?)?;
        Ok(fs::rename(unfinished, path())?)
    }
}

impl Process {
    /// The running process of this number.
    pub(crate) fn running(name: &str, pid: u32) -> Option<Self> {
        Some(Self { name: name.to_owned(), pid, started: start_time(pid)? })
    }

    /// Whether it still runs, and not another one by its number.
    pub(crate) fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }
}

fn path() -> PathBuf {
    plan::state("cluster.json")
}

fn judge(record: Record, wanted: &Wanted<'_>, alive: impl Fn(&Process) -> bool) -> Found {
    let whose = format!("a cluster of {}", record.checkout.display());
    if record.checkout != wanted.checkout {
        return Found::InTheWay(format!("{whose} is running on this machine"));
    }
    let dead: Vec<&str> = record
        .processes
        .iter()
        .filter(|process| !alive(process))
        .map(|process| process.name.as_str())
        .collect();
    if !dead.is_empty() {
        return Found::InTheWay(format!("{whose} is half dead: {} ended", dead.join(", ")));
    }
    if !record.complete {
        return Found::InTheWay(format!("{whose} was never started to the end"));
    }
    if record.binaries != wanted.binaries {
        return Found::InTheWay(format!("{whose} runs other programs than testbed/go.mod names now"));
    }
    if wanted.nodes.is_some_and(|nodes| nodes != record.nodes) || (wanted.nfs_node && !record.nfs_node) {
        let nfs = if record.nfs_node { "an" } else { "no" };
        return Found::InTheWay(format!("{whose} has {} node(s) and {nfs} NFS node", record.nodes));
    }
    Found::Ours(record)
}

/// The start time of a process that is neither gone nor a zombie.
fn start_time(pid: u32) -> Option<u64> {
    parse_start_time(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_start_time(stat: &str) -> Option<u64> {
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if state == "Z" { None } else { fields.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests;
