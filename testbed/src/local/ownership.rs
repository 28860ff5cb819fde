//! Whether a start may use the cluster that is on this machine, must remove it first, or must leave it alone.

use std::path::{Path, PathBuf};

use super::plan;
use super::record::{Process, Record};

/// The cluster on this machine, as a start sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    None,
    /// One of this checkout that can be used as it is.
    Usable(Record),
    /// One that only `--replace` may remove; the text says whose it is, and why it cannot be used.
    Conflict(String),
}

/// What a start asks of a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) checkout: &'a Path,
    /// The key of the programs that it would run.
    pub(crate) binaries: &'a str,
    /// The number of ordinary nodes, if it matters.
    pub(crate) nodes: Option<u8>,
    /// Whether the NFS node is needed; one that is not needed does no harm.
    pub(crate) nfs_node: bool,
}

/// The cluster on this machine, compared with what is wanted.
pub(crate) fn existing(wanted: &Wanted<'_>) -> Existing {
    if !Path::new(plan::STATE).exists() {
        return Existing::None;
    }
    match Record::read() {
        Some(record) => compare(record, wanted, Process::is_alive),
        None => {
            Existing::Conflict(format!("{} holds the rest of a cluster, without its record", plan::STATE))
        }
    }
}

/// Another checkout, which still exists and owns the cluster on this machine.
pub(crate) fn other_owner(checkout: &Path) -> Option<PathBuf> {
    Record::read().map(|record| record.checkout).filter(|owner| owner != checkout && owner.exists())
}

fn compare(record: Record, wanted: &Wanted<'_>, alive: impl Fn(&Process) -> bool) -> Existing {
    let cluster = format!("the local cluster of {}", record.checkout.display());
    if record.checkout != wanted.checkout {
        return Existing::Conflict(format!("{cluster} is running on this machine"));
    }
    let dead: Vec<&str> = record
        .processes
        .iter()
        .filter(|process| !alive(process))
        .map(|process| process.name.as_str())
        .collect();
    if !dead.is_empty() {
        return Existing::Conflict(format!("{cluster} is broken: {} exited", dead.join(", ")));
    }
    if !record.complete {
        return Existing::Conflict(format!("{cluster} was not started completely"));
    }
    if record.binaries != wanted.binaries {
        return Existing::Conflict(format!("{cluster} runs other programs than testbed/go.mod names now"));
    }
    if wanted.nodes.is_some_and(|nodes| nodes != record.nodes) || (wanted.nfs_node && !record.nfs_node) {
        let nfs = if record.nfs_node { "an" } else { "no" };
        return Existing::Conflict(format!("{cluster} has {} node(s) and {nfs} NFS node", record.nodes));
    }
    Existing::Usable(record)
}

#[cfg(test)]
mod tests;
