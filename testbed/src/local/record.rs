//! The record of the local cluster: who started it, its shape and its processes. Tests on the cluster read it
//! to find a process or a node; what a start makes of it is in `ownership.rs`.

use std::path::PathBuf;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::plan::{self, Node};

/// What a running cluster is. It is written while the cluster starts, and again with every process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The root of the checkout that started the cluster.
    pub checkout: PathBuf,
    /// The key of the Go programs that it runs, see [`crate::binaries::Binaries`].
    pub binaries: String,
    pub nodes: u8,
    pub nfs_node: bool,
    /// Whether the start was completed; an interrupted one leaves `false`.
    pub complete: bool,
    /// The long-running processes, in the order in which they were started.
    pub processes: Vec<Process>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// The name of its log file, without `.log`: `etcd`, `kubelet-1`, `nfs-node`.
    pub name: String,
    /// The process id, which Linux may give to another process later.
    pub pid: u32,
    /// When it started, in clock ticks since boot (field 22 of /proc/PID/stat), to detect that Linux did.
    pub started: u64,
}

impl Record {
    /// The record of the cluster on this machine; none where no cluster runs, or its record cannot be read.
    pub fn read() -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(path()).ok()?).ok()
    }

    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// The ordinary nodes, from node 1 on.
    pub fn ordinary_nodes(&self) -> impl Iterator<Item = Node> + use<> {
        Node::all(self.nodes)
    }

    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let unfinished = path().with_extension("unfinished");
        fs::write(&unfinished, serde_json::to_string_pretty(self)?)?;
        // A reader finds the record whole: a rename replaces the old one at once.
        Ok(fs::rename(unfinished, path())?)
    }
}

impl Process {
    pub(crate) fn running(name: &str, pid: u32) -> Option<Self> {
        Some(Self { name: name.to_owned(), pid, started: start_time(pid)? })
    }

    /// Whether it still runs; another process that was given its id does not count.
    pub(crate) fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }
}

fn path() -> PathBuf {
    plan::state("cluster.json")
}

/// The start time of a process that has not ended and is no zombie.
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
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_program_name() {
        let after_name = format!(" S {} 4711 0", ["0"; 18].join(" "));
        assert_eq!(parse_start_time(&format!("7 (a) b (c)){after_name}")), Some(4711));
        assert_eq!(parse_start_time(&format!("7 (etcd){}", after_name.replace('S', "Z"))), None);
    }

    #[test]
    fn this_process_is_alive_and_one_that_started_at_another_time_is_not() {
        let own = Process::running("xtask", std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Process { started: own.started + 1, ..own }.is_alive());
    }
}
