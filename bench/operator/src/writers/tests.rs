//! What the audit log of several operators may show, and what it must not.

use rstest::rstest;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + millis).unwrap()
}

/// `process lease NAME start-end` or `process object NAME start-end`, with a code if it is not 200.
fn write(line: &str) -> Write {
    let words: Vec<&str> = line.split(' ').collect();
    let (received, answered) = words[3].split_once('-').unwrap();
    let (resource, verb) = if words[1] == "lease" { ("leases", "update") } else { ("services", "patch") };
    Write {
        process: words[0].to_owned(),
        received: at(received.parse().unwrap()),
        answered: at(answered.parse().unwrap()),
        verb: verb.to_owned(),
        resource: resource.to_owned(),
        namespace: "n".to_owned(),
        name: words[2].to_owned(),
        code: words.get(4).map_or(200, |code| code.parse().unwrap()),
    }
}

fn writes(lines: &[&str]) -> Vec<Write> {
    lines.iter().map(|line| write(line)).collect()
}

/// The names of the objects whose writes violate, in order.
fn violating(lines: &[&str]) -> Vec<String> {
    let violations = violations(&writes(lines));
    violations
        .into_iter()
        .map(|violation| match violation {
            Violation::OutsideOfTerm(write, _) => format!("{} {}", write.process, write.name),
            Violation::Interleaved { stack, first, second } => {
                format!("{} {} {}", stack.name, first.process, second.process)
            }
        })
        .collect()
}

#[rstest]
#[case::one(&["a lease l 0-1", "a object s1-api 2-3", "a lease l 10-11", "a object s1-db 12-13"])]
#[case::no_lease_was_needed(&[])]
#[case::handed_over(&["a lease l 0-1", "a object s1-api 2-3", "b lease l 4-5", "b object s1-api 6-7"])]
#[case::and_back(&[
    "a lease l 0-1", "a object s1 2-3", "b lease l 4-5", "b object s1 6-7", "a lease l 8-9", "a object s1 10-11",
])]
#[case::lost_the_race(&["a lease l 0-1", "b lease l 2-3 409", "a object s1 4-5"])]
#[case::two_shards(&["a lease l0 0-1", "b lease l1 0-1", "a object s1 2-9", "b object s2 3-8"])]
#[case::two_shards_one_after_the_other(&[
    "a lease l0 0-1", "b lease l 2-3", "a object s1 4-5", "b object s1 6-7",
])]
fn what_is_allowed(#[case] lines: &[&str]) {
    assert_eq!(violating(lines), Vec::<String>::new());
}

#[rstest]
#[case::never_elected(&["a lease l 0-1", "b object s1 2-3"], &["b s1"])]
#[case::before_the_term(&["a object s1 0-1", "a lease l 2-3"], &["a s1"])]
#[case::two_writers_in_a_term(
    &["a lease l 0-1", "a object s1 2-3", "b lease l 4-5", "b object s1 6-7", "a object s2 8-9"],
    &["a s2"],
)]
#[case::under_way_when_another_gains_it(
    &["a lease l 0-1", "a object s1-api 2-9", "b lease l 4-5", "b object s2 10-11"],
    &["a s1-api"],
)]
#[case::a_failed_request_was_sent_too(
    &["a lease l 0-1", "b lease l 2-3", "a object s1 4-5 500", "b object s1 6-7"],
    &["a s1"],
)]
#[case::the_race_for_the_lease_was_lost(&["a lease l 0-1", "b lease l 2-3 409", "b object s1 4-5"], &["b s1"])]
#[case::started_again_in_place(
    // Another process of the same pod.
    &["a lease l 0-1", "a2 object s1 2-3", "a2 lease l 4-5"],
    &["a2 s1"],
)]
#[case::two_shards_serve_one_stack(
    &["a lease l0 0-1", "b lease l 0-1", "a object s1-api 2-3", "b object s1 4-5", "a object s1.18a 6-7"],
    &["s1 a b"],
)]
#[case::their_writes_overlap(
    &["a lease l0 0-1", "b lease l 0-1", "a object s1-api 2-5", "b object s1 4-9"],
    &["s1 a b"],
)]
fn what_is_not(#[case] lines: &[&str], #[case] expected: &[&str]) {
    assert_eq!(violating(lines), expected);
}

#[test]
fn terms_end_with_the_next_holders_first_write() {
    let lines =
        ["b lease l 10-11", "a lease l 0-1", "a lease l 5-6", "b lease l 20-21", "a lease l 12-13 409"];
    let term = |process: &str, start, end: Option<i64>| Term {
        lease: "l".to_owned(),
        process: process.to_owned(),
        start: at(start),
        end: end.map(at),
    };
    assert_eq!(terms(&writes(&lines)), [term("a", 0, Some(11)), term("b", 10, None)]);
}

#[rstest]
#[case("s0001", Some("s0001"))]
#[case("s0001-api", Some("s0001"))]
#[case("s0001-api.18ab", Some("s0001"))]
#[case("pvc-0f", None)]
#[case("shop-api", None)]
fn the_name_of_an_object_tells_its_stack(#[case] name: &str, #[case] stack: Option<&str>) {
    let write = write(&format!("a object {name} 0-1"));
    assert_eq!(write.stack().map(|it| it.name), stack.map(str::to_owned));
}

#[test]
fn the_servers_of_a_stack_are_those_that_wrote_in_the_time() {
    let lines = ["a object s1 0-1", "b object s1-api 5-6", "b object s2 5-6", "b lease l 5-6"];
    let all = writes(&lines);
    let servers = servers(&all, at(2), at(9));
    let servers: Vec<_> = servers.iter().map(|(id, processes)| (id.name.as_str(), processes.len())).collect();
    assert_eq!(servers, [("s1", 1), ("s2", 1)]);
}
