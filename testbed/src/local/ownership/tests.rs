//! What a record means for a start that comes later.

use std::path::Path;

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
fn a_whole_cluster_of_this_checkout_is_used_as_it_is() {
    assert_eq!(judge(record(), &wanted(), |_| true), Found::Ours(record()));
}

#[test]
fn an_nfs_node_more_than_asked_for_is_no_reason_to_start_anew() {
    let more = Record { nfs_node: true, ..record() };
    assert_eq!(judge(more.clone(), &wanted(), |_| true), Found::Ours(more));
}

#[test]
fn any_number_of_nodes_will_do_when_none_is_asked_for() {
    let three = Record { nodes: 3, ..record() };
    assert_eq!(judge(three.clone(), &Wanted { nodes: None, ..wanted() }, |_| true), Found::Ours(three));
}

#[rstest]
#[case::of_another_checkout(
    Record { checkout: "/src/other".into(), ..record() }, "a cluster of /src/other is running on this machine")]
#[case::of_other_programs(
    Record { binaries: "old".into(), ..record() },
    "a cluster of /src/todostack runs other programs than testbed/go.mod names now")]
#[case::of_another_shape(
    Record { nodes: 3, ..record() }, "a cluster of /src/todostack has 3 node(s) and no NFS node")]
#[case::interrupted(
    Record { complete: false, ..record() }, "a cluster of /src/todostack was never started to the end")]
fn a_cluster_that_cannot_be_used_is_named(#[case] record: Record, #[case] words: &str) {
    assert_eq!(judge(record, &wanted(), |_| true), Found::InTheWay(words.into()));
}

#[test]
fn a_half_dead_cluster_names_what_ended() {
    let found = judge(record(), &wanted(), |process| process.name != "etcd");
    assert_eq!(found, Found::InTheWay("a cluster of /src/todostack is half dead: etcd ended".into()));
}

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
