//! Symptoms and the one cause that is told of each.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{now, resolved};

const DATABASE: &str = "database";
const API: &str = "api";

fn pod(component: &str, status: &Value) -> Observed {
    let labels = json!({"app.kubernetes.io/component": component});
    let pod = serde_json::from_value(json!({"metadata": {"name": "p", "labels": labels}, "status": status}))
        .unwrap();
    Observed { pods: vec![Arc::new(pod)], ..bound() }
}

/// A claim that is bound and the classes that a cluster usually has, so that nothing else is found.
fn bound() -> Observed {
    let claim = json!({"metadata": {"name": "shop-db"}, "status": {"phase": "Bound"}});
    Observed { claim: Some(Arc::new(serde_json::from_value(claim).unwrap())), ..Observed::default() }
}

fn container(state: &Value, last: &Value, restarts: i32) -> Value {
    json!({"containerStatuses": [{
        "name": "c", "image": "registry.example.com/c:1", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last,
    }]})
}

fn waiting(reason: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": "secret \"pg\" not found"}})
}

fn terminated(reason: &str, message: &str) -> Value {
    json!({"terminated": {"exitCode": 1, "reason": reason, "message": message}})
}

fn found(spec: &str, observed: &Observed) -> Vec<Finding> {
    let stack = resolved(spec);
    let applied = Applied::default();
    diagnose(Evidence { stack: &stack, observed, applied: &applied, now: now() })
}

fn only(spec: &str, observed: &Observed) -> Finding {
    let mut findings = found(spec, observed);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[rstest]
#[case::image("ImagePullBackOff", Reason::ImagePullFailed, "cannot have its image registry.example.com/c:1")]
#[case::name("InvalidImageName", Reason::ImagePullFailed, "cannot have its image registry.example.com/c:1")]
#[case::never("ErrImageNeverPull", Reason::ImagePullFailed, "cannot have its image registry.example.com/c:1")]
#[case::config(
    "CreateContainerConfigError",
    Reason::ContainerConfigInvalid,
    "cannot be created: secret \"pg\" not found"
)]
fn a_container_that_waits_is_explained(#[case] reason: &str, #[case] expected: Reason, #[case] words: &str) {
    let finding = only("{}", &pod(API, &container(&waiting(reason), &json!({}), 0)));
    assert_eq!((finding.part, finding.reason), (Part::Api, expected));
    assert!(finding.problem.contains(words), "{}", finding.problem);
}

#[rstest]
#[case::crash(
    "Error",
    "2026-11-21 02:43:07.123 UTC [1] FATAL:  no space\n",
    Reason::CrashLoop,
    "FATAL:  no space"
)]
#[case::silent("Error", "", Reason::CrashLoop, "exit code 1, and its log is empty")]
#[case::memory("OOMKilled", "", Reason::OutOfMemory, "more memory than its limit")]
fn a_container_that_ends_again_and_again_is_explained(
    #[case] reason: &str,
    #[case] message: &str,
    #[case] expected: Reason,
    #[case] words: &str,
) {
    let last = terminated(reason, message);
    for state in [waiting("CrashLoopBackOff"), json!({"running": {}})] {
        let finding = only("{}", &pod(DATABASE, &container(&state, &last, 2)));
        assert_eq!((finding.part, finding.reason), (Part::Database, expected));
        assert!(finding.problem.contains(words), "{}", finding.problem);
    }
}

#[rstest]
#[case::starting(&container(&waiting("ContainerCreating"), &json!({}), 0))]
#[case::running(&container(&json!({"running": {}}), &json!({}), 0))]
#[case::done(&container(&json!({"terminated": {"exitCode": 0}}), &json!({}), 0))]
#[case::nothing_known(&json!({}))]
fn a_container_on_its_way_is_no_finding(#[case] status: &Value) {
    assert_eq!(found("{}", &pod(API, status)), []);
}

fn unschedulable(seconds: i64) -> Value {
    let since = now() - jiff::SignedDuration::from_secs(seconds);
    json!({"conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": since,
        "message": "0/1 nodes are available: 1 Insufficient cpu.",
    }]})
}

#[test]
fn a_pod_without_a_node_is_explained_after_a_moment() {
    assert_eq!(found("{}", &pod(API, &unschedulable(1))), []);
    let finding = only("{}", &pod(API, &unschedulable(30)));
    assert_eq!(finding.reason, Reason::Unschedulable);
    assert!(finding.problem.contains("1 Insufficient cpu"), "{}", finding.problem);
}

#[rstest]
#[case::none("{}", Reason::NoDefaultStorageClass)]
#[case::named("database: {postgres: {storage: {storageClassName: gold}}}", Reason::StorageClassNotFound)]
#[case::sqlite("database: {sqlite: {storage: {storageClassName: gold}}}", Reason::StorageClassNotFound)]
fn a_claim_that_nothing_can_provide_is_explained(#[case] spec: &str, #[case] expected: Reason) {
    let finding = only(spec, &Observed::default());
    assert_eq!((finding.part, finding.reason, finding.needs_person), (Part::Storage, expected, true));
}

#[test]
fn a_refused_mount_is_told_in_the_words_of_the_mount_program() {
    let event = json!({
        "metadata": {}, "involvedObject": {}, "reason": "FailedMount",
        "message": "MountVolume.SetUp failed for volume \"v\" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: mounting nfs:/e failed, reason given by server: No such file or directory\n",
    });
    let observed = Observed { events: vec![serde_json::from_value(event).unwrap()], ..Observed::default() };
    let finding = only("database: {postgres: {storage: {nfs: {server: nfs, path: /e}}}}", &observed);
    assert_eq!(finding.reason, Reason::MountFailed);
    let words = "mount.nfs: mounting nfs:/e failed, reason given by server: No such file or directory";
    assert!(finding.problem.ends_with(words), "{}", finding.problem);
}

fn with_classes(defaults: &[bool]) -> Observed {
    let class = |(number, default): (usize, &bool)| {
        let mark = json!({"ingressclass.kubernetes.io/is-default-class": default.to_string()});
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": format!("c{number}"), "annotations": mark}}))
                .unwrap(),
        )
    };
    Observed { ingress_classes: defaults.iter().enumerate().map(class).collect(), ..bound() }
}

#[rstest]
#[case::none("{exposure: {host: h}}", &[], Some(Reason::NoDefaultIngressClass))]
#[case::no_default("{exposure: {host: h}}", &[false], Some(Reason::NoDefaultIngressClass))]
#[case::two("{exposure: {host: h}}", &[true, true], Some(Reason::SeveralDefaultIngressClasses))]
#[case::unknown("{exposure: {host: h, ingress: {className: x}}}", &[true], Some(Reason::IngressClassNotFound))]
#[case::known("{exposure: {host: h, ingress: {className: c0}}}", &[false], None)]
#[case::default("{exposure: {host: h}}", &[true, false], None)]
#[case::no_ingress("{}", &[], None)]
fn an_ingress_that_no_controller_serves_is_explained(
    #[case] spec: &str,
    #[case] defaults: &[bool],
    #[case] expected: Option<Reason>,
) {
    let findings = found(spec, &with_classes(defaults));
    assert_eq!(findings.first().map(|finding| finding.reason), expected);
}

#[test]
fn the_cause_stands_before_what_it_causes() {
    let mut observed =
        pod(API, &container(&waiting("CrashLoopBackOff"), &terminated("Error", "no database"), 3));
    observed.claim = None;
    let reasons: Vec<_> = found("{}", &observed).iter().map(|finding| finding.reason).collect();
    assert_eq!(reasons, [Reason::NoDefaultStorageClass, Reason::CrashLoop]);
}
