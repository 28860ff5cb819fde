//! A simulated fight over one object.

use rstest::rstest;
use serde_json::json;
use todostack_stack::managed::Kind;

use super::*;

fn stack(uid: &str) -> StackRef {
    StackRef { namespace: "shops".into(), name: "shop".into(), uid: uid.into(), generation: 1 }
}

fn key() -> Key {
    Key { kind: Kind::Service, name: "shop-api".into() }
}

fn seen<'a>(stack: &'a StackRef, key: &'a Key, now: Instant) -> Seen<'a> {
    Seen { stack, key, now }
}

fn dispute(field: &str) -> Dispute {
    Dispute { key: key(), manager: Some("other".into()), field: field.into() }
}

fn result(stamp: &str, version: u64) -> ObjectMeta {
    let metadata = json!({"resourceVersion": version.to_string(), "annotations": {APPLIED: stamp}});
    serde_json::from_value(metadata).unwrap()
}

struct Fight {
    corrections: Corrections,
    start: Instant,
    version: u64,
}

impl Fight {
    fn new() -> Self {
        Self { corrections: Corrections::default(), start: Instant::now(), version: 0 }
    }

    // The object differs at this second; returns whether it was written.
    fn correct(&mut self, second: u64, stamp: &str) -> bool {
        let now = self.start + Duration::from_secs(second);
        let is_due =
            self.corrections.is_due(seen(&stack("1"), &key(), now), Some(stamp), || dispute("spec.a"));
        if is_due {
            self.version += 1;
            self.corrections.written(seen(&stack("1"), &key(), now), &result(stamp, self.version));
        }
        is_due
    }

    fn is_disputed(&self) -> bool {
        !self.corrections.disputes(&stack("1")).is_empty()
    }
}

#[rstest]
#[case::at_once(1, 20)]
#[case::each_minute(60, 20)]
#[case::slowly(240, 20)]
fn an_object_that_is_always_changed_is_written_a_few_times_an_hour(
    #[case] period: usize,
    #[case] most: usize,
) {
    let mut fight = Fight::new();
    let writes = (0..3600).step_by(period).filter(|second| fight.correct(*second, "a")).count();
    assert!(writes <= most && fight.is_disputed(), "{writes}");
}

#[test]
fn some_corrections_are_no_conflict() {
    let mut fight = Fight::new();
    for second in 0..u64::from(ROUNDS) {
        assert!(fight.correct(second, "a") && !fight.is_disputed(), "{second}");
    }
    assert!(!fight.correct(5, "a") && fight.is_disputed());
}

#[test]
fn rare_changes_are_corrected_at_once_forever() {
    let mut fight = Fight::new();
    assert!((0..100).all(|round| fight.correct(round * 300, "a")));
    assert!(!fight.is_disputed());
}

#[test]
fn another_desired_state_is_written_at_once() {
    let mut fight = Fight::new();
    assert!((0..10).any(|second| !fight.correct(second, "a")));
    assert!(fight.correct(11, "b") && !fight.is_disputed());
}

#[test]
fn a_conflict_is_over_after_some_quiet_minutes_and_not_before() {
    let mut fight = Fight::new();
    let mut second = 0;
    while !(fight.correct(second, "a") && fight.is_disputed()) {
        second += 1;
    }
    let at = |second: u64| fight.start + Duration::from_secs(second);
    fight.corrections.is_current(seen(&stack("1"), &key(), at(second + 299)));
    assert!(fight.is_disputed());
    let pause = fight.corrections.pause(&stack("1"), at(second + 280));
    assert_eq!(pause, Some(Duration::from_secs(20)));
    fight.corrections.is_current(seen(&stack("1"), &key(), at(second + 300)));
    assert!(!fight.is_disputed());
    assert_eq!(fight.corrections.pause(&stack("1"), at(second + 300)), None);
}

#[test]
fn what_was_found_first_stays() {
    let mut fight = Fight::new();
    for second in 0..10 {
        fight.correct(second, "a");
    }
    let now = fight.start + Duration::from_secs(11);
    fight.corrections.is_due(seen(&stack("1"), &key(), now), Some("a"), || dispute("spec.b"));
    assert_eq!(fight.corrections.disputes(&stack("1")), [dispute("spec.a")]);
}

#[test]
fn writes_that_change_nothing_are_no_rounds() {
    let fight = Fight::new();
    for second in 0..20 {
        let now = fight.start + Duration::from_secs(second);
        assert!(fight.corrections.is_due(seen(&stack("1"), &key(), now), Some("a"), || dispute("spec.a")));
        fight.corrections.written(seen(&stack("1"), &key(), now), &result("a", 7));
    }
    assert!(!fight.is_disputed());
}

#[test]
fn other_stacks_and_deleted_ones_are_not_concerned() {
    let mut fight = Fight::new();
    for second in 0..10 {
        fight.correct(second, "a");
    }
    let now = fight.start + Duration::from_secs(10);
    assert!(fight.corrections.is_due(seen(&stack("2"), &key(), now), Some("a"), || dispute("spec.a")));
    assert!(fight.corrections.disputes(&stack("2")).is_empty());
    fight.corrections.retain(&stack("1"), &[]);
    assert!(!fight.is_disputed());
}
