//! Objects of a real cluster at the moment when a cause was reported (`../captured`, written by
//! `TODOSTACK_CAPTURE=FOLDER cargo test -p todostack-e2e`): diagnosis must find the same cause again. Loading
//! them is in `captured/load.rs`.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::subsequence};
use strum::IntoEnumIterator as _;
use todostack_crds::{ConditionType, Reason};

use self::{decided::why_not_captured, load::Capture};
use super::*;
use crate::{
    applied::Applied,
    conditions::{self, Status, Verdict, View},
    fixtures,
};

mod decided;
mod load;

static CAPTURES: LazyLock<Vec<Capture>> = LazyLock::new(load::all);

// Findings and verdicts from those objects of a capture, in that order.
fn evaluated(capture: &Capture, objects: &[usize]) -> (Vec<Finding>, Vec<Verdict>) {
    let observed = capture.observed(objects);
    let stack = capture.resolved(&observed);
    let applied = Applied::default();
    let evidence = Evidence { stack: &stack, observed: &observed, applied: &applied, now: capture.moment };
    let findings = diagnose(evidence);
    let verdicts = conditions::evaluate(View { stack: &stack, observed: &observed, findings: &findings });
    (findings, verdicts)
}

fn ready(verdicts: &[Verdict]) -> &Verdict {
    verdicts.iter().find(|verdict| verdict.condition == ConditionType::Ready).unwrap()
}

// The findings of all captures.
pub(super) fn messages() -> Vec<String> {
    let findings = CAPTURES.iter().flat_map(|capture| evaluated(capture, &capture.all()).0);
    findings.map(|finding| finding.message()).collect()
}

#[test]
fn each_captured_cause_is_found_again() {
    let mut messages = Vec::new();
    for capture in CAPTURES.iter() {
        let (_, verdicts) = evaluated(capture, &capture.all());
        let ready = ready(&verdicts);
        assert_eq!(
            (ready.status, ready.reason.as_str()),
            (Status::False, capture.reason()),
            "{}",
            capture.name
        );
        messages.push(format!("{}: {}", capture.name, ready.message));
    }
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn every_cause_is_captured_or_has_a_reason_why_not() {
    for reason in Reason::iter() {
        let captured = CAPTURES.iter().any(|capture| capture.reason() == reason.as_str());
        match why_not_captured(reason) {
            None => assert!(captured, "{reason:?} is not in stack/src/diagnose/captured"),
            Some(why) => assert!(!captured, "{reason:?} is captured, though {why}"),
        }
    }
}

#[test]
fn no_capture_contains_a_byte_of_a_password() {
    for capture in CAPTURES.iter() {
        for (secret, key, value) in capture.secret_values() {
            let masked = value.iter().all(|byte| *byte == b'x' || byte.is_ascii_control());
            assert!(masked, "{}: Secret {secret}, key {key}", capture.name);
        }
    }
}

// A capture and some of its objects, in any order.
fn some_objects() -> impl Strategy<Value = (usize, Vec<usize>)> {
    (0..CAPTURES.len()).prop_flat_map(|number| {
        let all = CAPTURES[number].all();
        (Just(number), subsequence(all.clone(), 0..=all.len()).prop_shuffle())
    })
}

fn all_objects() -> impl Strategy<Value = (usize, Vec<usize>)> {
    (0..CAPTURES.len()).prop_flat_map(|number| (Just(number), Just(CAPTURES[number].all()).prop_shuffle()))
}

proptest! {
    #[test]
    fn no_missing_object_changes_a_time_without_its_status((number, objects) in some_objects()) {
        let capture = &CAPTURES[number];
        let later = fixtures::now() + jiff::SignedDuration::from_secs(60);
        let before = conditions::merge(&[], &evaluated(capture, &capture.all()).1, 1, fixtures::now());
        let (findings, verdicts) = evaluated(capture, &objects);
        prop_assert!(findings.is_sorted_by_key(|finding| finding.part));
        for (old, new) in before.iter().zip(&conditions::merge(&before, &verdicts, 1, later)) {
            prop_assert_eq!(old.status == new.status, old.last_transition_time == new.last_transition_time);
        }
    }

    #[test]
    fn findings_do_not_depend_on_the_order_of_objects((number, objects) in all_objects()) {
        let capture = &CAPTURES[number];
        let found = |objects: &[usize]| {
            let (findings, _) = evaluated(capture, objects);
            findings.iter().map(|finding| (finding.part, finding.message())).collect::<Vec<_>>()
        };
        prop_assert_eq!(found(&objects), found(&capture.all()));
    }
}
