//! From two statuses to the Events between them.

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use kube::{Resource as _, api::ObjectMeta};
use rstest::rstest;

use super::*;
use crate::{
    finding::Finding,
    fixtures::{now, resolved},
    observe::Observed,
};

fn is(kind: ConditionType, status: &str, reason: Reason) -> Condition {
    Condition {
        type_: kind.as_str().into(),
        status: status.into(),
        reason: reason.as_str().into(),
        message: format!("words on {}", reason.as_str()),
        observed_generation: None,
        last_transition_time: Time(now()),
    }
}

fn ready(status: &str, reason: Reason) -> Condition {
    is(ConditionType::Ready, status, reason)
}

fn status(conditions: Vec<Condition>) -> TodoStackStatus {
    TodoStackStatus { conditions, ..TodoStackStatus::default() }
}

fn told(old: Vec<Condition>, new: Vec<Condition>, findings: &[Finding]) -> Vec<Event> {
    let mut observed = Observed::default();
    for key in [key::<StatefulSet>("shop-db".into()), key::<Service>("shop-api".into())] {
        let metadata = ObjectMeta { uid: Some(key.to_string()), ..ObjectMeta::default() };
        observed.children.insert(key, metadata);
    }
    let stack = resolved("{}");
    events(&status(old), &status(new), View { stack: &stack, observed: &observed, findings })
}

#[rstest]
#[case::well(None, ready("True", Reason::AsExpected), Some("Ready"))]
#[case::cause(Some(ready("True", Reason::AsExpected)), ready("False", Reason::CrashLoop), Some("CrashLoop"))]
#[case::other_cause(
    Some(ready("False", Reason::DiskFull)),
    ready("False", Reason::CrashLoop),
    Some("CrashLoop")
)]
#[case::unchanged(Some(ready("False", Reason::CrashLoop)), ready("False", Reason::CrashLoop), None)]
#[case::progress(None, ready("False", Reason::Progressing), None)]
#[case::line_end(
    Some(is(ConditionType::CredentialsValid, "True", Reason::AsExpected)),
    is(ConditionType::CredentialsValid, "True", Reason::TrailingNewline),
    Some("TrailingNewline")
)]
#[case::part(
    Some(is(ConditionType::DatabaseReady, "False", Reason::Progressing)),
    is(ConditionType::DatabaseReady, "True", Reason::AsExpected),
    Some("DatabaseReady")
)]
#[case::no_such_part(None, is(ConditionType::StorageReady, "True", Reason::NotNeeded), None)]
fn a_transition_is_one_event(
    #[case] old: Option<Condition>,
    #[case] new: Condition,
    #[case] reason: Option<&str>,
) {
    let told = told(old.into_iter().collect(), vec![new], &[]);
    assert_eq!(told.iter().map(|event| event.reason.as_str()).collect::<Vec<_>>(), Vec::from_iter(reason));
}

#[test]
fn a_cause_is_told_once_with_the_object_that_shows_it() {
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some("shop-db-0".into()),
            uid: Some("7".into()),
            ..ObjectMeta::default()
        },
        ..Pod::default()
    };
    let finding = Finding {
        part: Part::Database,
        object: "Container postgres".into(),
        reason: Reason::CrashLoop,
        problem: "ends again and again: boom".into(),
        remedy: "Read its log".into(),
        evidence: String::new(),
        related: Some(pod.object_ref(&())),
        needs_person: false,
    };
    let says = |kind| Condition { message: finding.message(), ..is(kind, "False", Reason::CrashLoop) };
    let new = vec![says(ConditionType::Ready), says(ConditionType::DatabaseReady)];
    let events = told(Vec::new(), new, std::slice::from_ref(&finding));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].action, "RunDatabase");
    assert_eq!(events[0].secondary, finding.related);
}

#[test]
fn a_part_that_came_up_is_told_with_its_object() {
    let new = vec![
        is(ConditionType::DatabaseReady, "True", Reason::AsExpected),
        is(ConditionType::Exposed, "True", Reason::AsExpected),
    ];
    let events = told(Vec::new(), new, &[]);
    let related: Vec<_> =
        events.iter().filter_map(|event| event.secondary.as_ref()?.uid.as_deref()).collect();
    assert_eq!(related, ["StatefulSet shop-db", "Service shop-api"]);
}

#[test]
fn a_note_is_cut_where_the_api_server_would_refuse_it() {
    let long = Condition { message: "ä".repeat(LONGEST_NOTE), ..ready("False", Reason::CrashLoop) };
    let events = told(Vec::new(), vec![long], &[]);
    assert_eq!(events[0].note.as_ref().unwrap().len(), LONGEST_NOTE);
}
