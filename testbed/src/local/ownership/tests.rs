//! What a record means for a later start.

use rstest::rstest;

use super::*;

fn wanted() -> Wanted<'static> {
    Wanted { checkout: Path::new("/src/todostack"), binaries: "abc", nodes: Some(1), nfs_node: false }
}

fn record() -> Record {
    let etcd = Process { name: "etcd".into(), pid: 7, started: 70 };
    Record {
        checkout: wanted().checkout.into(),
        binaries: "abc".into(),
        nodes: 1,
        nfs_node: false,
        complete: true,
        processes: vec![etcd, Process { name: "kubelet-1".into(), pid: 8, started: 80 }],
    }
}

#[test]
fn a_complete_cluster_of_this_checkout_is_used_as_it_is() {
    assert_eq!(compare(record(), &wanted(), |_| true), Existing::Usable(record()));
}

#[test]
fn an_nfs_node_that_is_not_needed_is_no_reason_to_start_again() {
    let more = Record { nfs_node: true, ..record() };
    assert_eq!(compare(more.clone(), &wanted(), |_| true), Existing::Usable(more));
}

#[test]
fn any_number_of_nodes_is_fine_when_none_is_asked_for() {
    let three = Record { nodes: 3, ..record() };
    let any = Wanted { nodes: None, ..wanted() };
    assert_eq!(compare(three.clone(), &any, |_| true), Existing::Usable(three));
}

#[rstest]
#[case::of_another_checkout(
    Record { checkout: "/src/other".into(), ..record() },
    "the local cluster of /src/other is running on this machine")]
#[case::of_other_programs(
    Record { binaries: "old".into(), ..record() },
    "the local cluster of /src/todostack runs other programs than testbed/go.mod names now")]
#[case::of_another_shape(
    Record { nodes: 3, ..record() },
    "the local cluster of /src/todostack has 3 node(s) and no NFS node")]
#[case::interrupted(
    Record { complete: false, ..record() },
    "the local cluster of /src/todostack was not started completely")]
fn a_cluster_that_cannot_be_used_is_named(#[case] record: Record, #[case] why: &str) {
    assert_eq!(compare(record, &wanted(), |_| true), Existing::Conflict(why.into()));
}

#[test]
fn a_broken_cluster_names_the_processes_that_exited() {
    let existing = compare(record(), &wanted(), |process| process.name != "etcd");
    let why = "the local cluster of /src/todostack is broken: etcd exited";
    assert_eq!(existing, Existing::Conflict(why.into()));
}
