//! Which pods are evidence.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{
    applied::Applied,
    fixtures::{now, resolved_from},
    names,
    observed::Observed,
};

const CURRENT: &str = "registry.example.com/api:1";

fn ago(seconds: i64) -> String {
    (now() - SignedDuration::from_secs(seconds)).to_string()
}

fn job(image: &str, condition: &str) -> Arc<Job> {
    let name = names::migration("shop", image, "revision-1");
    let status = json!({"conditions": [{"type": condition, "status": "True", "lastTransitionTime": ago(0)}]});
    Arc::new(
        serde_json::from_value(json!({"metadata": {"name": name, "uid": image}, "status": status})).unwrap(),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "literals are passed")]
fn pod(component: &str, name: &str, status: serde_json::Value) -> Arc<Pod> {
    let labels = json!({COMPONENT: component, STACK: "shop"});
    Arc::new(
        serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "status": status}))
            .unwrap(),
    )
}

/// A pod of a Job that was created so long ago.
fn attempt(name: &str, owner: &str, seconds: i64) -> Arc<Pod> {
    let mut pod = pod("migration", name, json!({"phase": "Failed"}));
    let metadata = json!({"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": owner}],
        "name": name, "labels": pod.metadata.labels, "creationTimestamp": ago(seconds)});
    Arc::make_mut(&mut pod).metadata = serde_json::from_value(metadata).unwrap();
    pod
}

fn evidence_in(observed: &Observed) -> Vec<String> {
    let stack = resolved_from("{}", observed);
    let applied = Applied::default();
    let evidence = Evidence { stack: &stack, observed, applied: &applied, now: now() };
    places(evidence).map(|place| place.pod.name_any()).collect()
}

#[rstest]
#[case::of_the_api("api")]
#[case::of_the_database("database")]
fn a_pod_that_was_evicted_is_no_evidence(#[case] component: &str) {
    let evicted = pod(component, "evicted", json!({"phase": "Failed", "reason": "Evicted"}));
    let running = pod(component, "running", json!({"phase": "Running"}));
    let observed = Observed { pods: vec![evicted, running], ..Observed::default() };
    assert_eq!(evidence_in(&observed), ["running"]);
}

#[rstest]
#[case::goes_on(job(CURRENT, "None"), &["last"])]
#[case::is_complete(job(CURRENT, "Complete"), &[])]
#[case::has_failed_which_is_a_finding_of_its_own(job(CURRENT, "Failed"), &[])]
#[case::is_of_another_image(job("registry.example.com/api:0", "None"), &[])]
fn of_a_job_the_last_attempt_is_evidence_while_it_goes_on(#[case] job: Arc<Job>, #[case] expected: &[&str]) {
    let uid = job.metadata.uid.clone().unwrap();
    let pods = vec![attempt("first", &uid, 60), attempt("last", &uid, 30)];
    let observed = Observed { pods, jobs: vec![job], ..Observed::default() };
    assert_eq!(evidence_in(&observed), expected);
}

#[rstest]
#[case::just_created(9, &["first", "last"])]
#[case::settled(10, &["last"])]
fn the_attempt_before_is_evidence_until_the_next_would_have_failed_too(
    #[case] seconds: i64,
    #[case] expected: &[&str],
) {
    let pods = vec![attempt("first", CURRENT, 60), attempt("last", CURRENT, seconds)];
    let observed = Observed { pods, jobs: vec![job(CURRENT, "None")], ..Observed::default() };
    assert_eq!(evidence_in(&observed), expected);
}

#[test]
fn an_attempt_that_a_drain_ended_is_no_evidence() {
    let mut pod = attempt("drained", CURRENT, 5);
    let conditions = json!([{"type": "DisruptionTarget", "status": "True"}]);
    Arc::make_mut(&mut pod).status =
        Some(serde_json::from_value(json!({"phase": "Failed", "conditions": conditions})).unwrap());
    let observed = Observed { pods: vec![pod], jobs: vec![job(CURRENT, "None")], ..Observed::default() };
    assert!(evidence_in(&observed).is_empty());
}
