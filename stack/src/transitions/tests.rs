//! From an old status and new verdicts to the transitions between them.

use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::Resource as _;
use rstest::rstest;

use super::*;
use crate::{
    finding::{Finding, Severity},
    fixtures::now,
};

fn verdict(condition: ConditionType, status: Status, reason: Reason) -> Verdict {
    Verdict { condition, status, reason, message: format!("message of {}", reason.as_str()), cause: None }
}

fn ready(status: Status, reason: Reason) -> Verdict {
    verdict(ConditionType::Ready, status, reason)
}

fn published(verdict: Verdict) -> Condition {
    Condition {
        type_: verdict.condition.as_str().into(),
        status: verdict.status.as_str().into(),
        reason: verdict.reason.as_str().into(),
        message: verdict.message,
        observed_generation: None,
        last_transition_time: Time(now()),
    }
}

fn between(old: Option<Verdict>, new: &[Verdict]) -> Vec<Transition> {
    let old = TodoStackStatus {
        conditions: old.into_iter().map(published).collect(),
        ..TodoStackStatus::default()
    };
    transitions(&old, new)
}

#[rstest]
#[case::ready(None, ready(Status::True, Reason::AsExpected), Some("Ready"))]
#[case::cause(
    Some(ready(Status::True, Reason::AsExpected)),
    ready(Status::False, Reason::CrashLoopBackOff),
    Some("CrashLoopBackOff")
)]
#[case::other_cause(
    Some(ready(Status::False, Reason::DiskFull)),
    ready(Status::False, Reason::CrashLoopBackOff),
    Some("CrashLoopBackOff")
)]
#[case::unchanged(
    Some(ready(Status::False, Reason::CrashLoopBackOff)),
    ready(Status::False, Reason::CrashLoopBackOff),
    None
)]
#[case::progress(None, ready(Status::False, Reason::Progressing), None)]
#[case::warning(
    Some(verdict(ConditionType::CredentialsValid, Status::True, Reason::AsExpected)),
    verdict(ConditionType::CredentialsValid, Status::True, Reason::TrailingNewline),
    Some("TrailingNewline")
)]
#[case::part(
    Some(verdict(ConditionType::DatabaseReady, Status::False, Reason::Progressing)),
    verdict(ConditionType::DatabaseReady, Status::True, Reason::AsExpected),
    None
)]
#[case::no_such_part(None, verdict(ConditionType::StorageReady, Status::True, Reason::NotNeeded), None)]
fn a_changed_condition_is_one_event(
    #[case] old: Option<Verdict>,
    #[case] new: Verdict,
    #[case] reason: Option<&str>,
) {
    let reasons: Vec<_> = between(old, &[new]).iter().map(|transition| transition.reason).collect();
    assert_eq!(reasons, Vec::from_iter(reason));
}

#[test]
fn a_cause_is_reported_once_with_the_object_that_shows_it() {
    let metadata =
        ObjectMeta { name: Some("shop-db-0".into()), uid: Some("7".into()), ..ObjectMeta::default() };
    let pod = Pod { metadata, ..Pod::default() };
    let finding = Finding::new(Part::Database, Reason::CrashLoopBackOff, "Container postgres")
        .problem("is crash-looping: boom")
        .remedy("Read its log")
        .related(pod.object_ref(&()))
        .severity(Severity::Transient);
    let caused = |condition| Verdict {
        message: finding.message(),
        cause: Some(finding.clone()),
        ..verdict(condition, Status::False, finding.reason)
    };
    let found = between(None, &[caused(ConditionType::Ready), caused(ConditionType::DatabaseReady)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].action, "RunDatabase");
    assert_eq!(found[0].related, finding.related);
}

#[test]
fn a_note_is_truncated_to_what_the_api_server_accepts() {
    let long =
        Verdict { message: "ä".repeat(LONGEST_NOTE), ..ready(Status::False, Reason::CrashLoopBackOff) };
    assert_eq!(between(None, &[long])[0].note.len(), LONGEST_NOTE);
}
