//! Whether a start may use the cluster that is on this machine, must remove it first, or must leave it alone.

use std::path::{Path, PathBuf};

use super::record::{Process, Record};
use super::{Shape, plan};
use crate::repository;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    None,
    /// One of this checkout that can be used as it is.
    Usable(Record),
    /// One that only `--replace` may remove; the text says whose it is, and why it cannot be used.
    Conflict(String),
}

/// The cluster on this machine, compared with the shape and the key of the programs that are wanted.
pub(crate) fn existing(shape: Shape, binaries: &str) -> Existing {
    if !Path::new(plan::STATE).exists() {
        return Existing::None;
    }
    match Record::read() {
        Some(record) => compare(record, shape, binaries, Process::is_alive),
        None => {
            Existing::Conflict(format!("{} holds the rest of a cluster, without its record", plan::STATE))
        }
    }
}

/// Another checkout, which still exists and owns the cluster on this machine.
pub(crate) fn other_owner() -> Option<PathBuf> {
    let owner = Record::read()?.checkout;
    (owner != repository::root() && owner.exists()).then_some(owner)
}

fn compare(record: Record, shape: Shape, binaries: &str, alive: impl Fn(&Process) -> bool) -> Existing {
    let dead = record.processes.iter().filter(|process| !alive(process));
    let dead: Vec<&str> = dead.map(|process| process.name.as_str()).collect();
    let why = if record.checkout != repository::root() {
        "is running on this machine".to_owned()
    } else if !dead.is_empty() {
        format!("is broken: {} exited", dead.join(", "))
    } else if !record.complete {
        "was not started completely".to_owned()
    } else if record.binaries != binaries {
        "runs other programs than testbed/go.mod names now".to_owned()
    } else if shape.nodes.is_some_and(|nodes| nodes != record.nodes) || (shape.nfs_node && !record.nfs_node) {
        let nfs = if record.nfs_node { "an" } else { "no" };
        format!("has {} node(s) and {nfs} NFS node", record.nodes)
    } else {
        return Existing::Usable(record);
    };
    Existing::Conflict(format!("the local cluster of {} {why}", record.checkout.display()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ONE_NODE: Shape = Shape { nodes: Some(1), nfs_node: false, replace: false };

    fn record() -> Record {
        let process = |name: &str| Process { name: name.into(), pid: 7, started: 70 };
        Record {
            checkout: repository::root().into(),
            binaries: "abc".into(),
            nodes: 1,
            nfs_node: false,
            complete: true,
            processes: vec![process("etcd"), process("kubelet-1")],
        }
    }

    #[rstest]
    #[case::as_it_is_wanted(record(), ONE_NODE)]
    #[case::with_an_nfs_node_that_is_not_needed(Record { nfs_node: true, ..record() }, ONE_NODE)]
    #[case::of_any_number_of_nodes(Record { nodes: 3, ..record() }, Shape { nodes: None, ..ONE_NODE })]
    fn a_complete_cluster_of_this_checkout_is_used(#[case] record: Record, #[case] shape: Shape) {
        assert_eq!(compare(record.clone(), shape, "abc", |_| true), Existing::Usable(record));
    }

    #[rstest]
    #[case::of_another_checkout(
        Record { checkout: "/src/other".into(), ..record() },
        "is running on this machine")]
    #[case::of_other_programs(
        Record { binaries: "old".into(), ..record() },
        "runs other programs than testbed/go.mod names now")]
    #[case::of_another_shape(Record { nodes: 3, ..record() }, "has 3 node(s) and no NFS node")]
    #[case::interrupted(Record { complete: false, ..record() }, "was not started completely")]
    #[case::broken(
        Record { processes: vec![Process { name: "dead".into(), pid: 8, started: 80 }], ..record() },
        "is broken: dead exited")]
    fn a_cluster_that_cannot_be_used_is_named(#[case] record: Record, #[case] why: &str) {
        let why = format!("the local cluster of {} {why}", record.checkout.display());
        let existing = compare(record, ONE_NODE, "abc", |process| process.name != "dead");
        assert_eq!(existing, Existing::Conflict(why));
    }
}
