//! Symptoms, and the one finding on each.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::Reason;

use super::*;
use crate::fixtures::{now, resolved};

mod captured;
mod order;
mod remedies;
mod volumes_and_exposure;

const DATABASE: &str = "database";
const API: &str = "api";

fn pod(component: &str, status: &Value) -> Observed {
    let labels = json!({"app.kubernetes.io/component": component});
    let pod = serde_json::from_value(json!({"metadata": {"name": "p", "labels": labels}, "status": status}))
        .unwrap();
    Observed { pods: vec![Arc::new(pod)], ..bound() }
}

// A bound claim, so that storage has no finding.
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

fn waits(reason: &str, message: &str) -> Value {
    container(&json!({"waiting": {"reason": reason, "message": message}}), &json!({}), 0)
}

#[rstest]
#[case::name("InvalidImageName", "couldn't parse", Reason::InvalidImageName)]
#[case::never("ErrImageNeverPull", "", Reason::ErrImageNeverPull)]
#[case::not_found(
    "ErrImagePull",
    "failed to resolve reference \"r/c:1\": r/c:1: not found",
    Reason::ImageNotFound
)]
#[case::backing_off(
    "ImagePullBackOff",
    "Back-off pulling image \"r/c:1\": ErrImagePull: manifest unknown",
    Reason::ImageNotFound
)]
#[case::unauthorised(
    "ErrImagePull",
    "pull access denied, insufficient_scope: authorization failed",
    Reason::ImagePullUnauthorized
)]
#[case::unreachable("ErrImagePull", "dial tcp: lookup r: no such host", Reason::ImagePullBackOff)]
#[case::refused(
    "ErrImagePull",
    "dial tcp 127.0.0.1:443: connect: connection refused",
    Reason::ImagePullBackOff
)]
#[case::secret("CreateContainerConfigError", "secret \"pg\" not found", Reason::SecretNotFound)]
#[case::key(
    "CreateContainerConfigError",
    "couldn't find key host in Secret shops/pg",
    Reason::SecretKeyMissing
)]
#[case::other(
    "CreateContainerConfigError",
    "container has runAsNonRoot and image will run as root",
    Reason::CreateContainerError
)]
#[case::command(
    "RunContainerError",
    "exec: \"x\": executable file not found in $PATH",
    Reason::ContainerCommandNotFound
)]
#[case::processor("RunContainerError", "exec /x: exec format error", Reason::ImageArchitectureMismatch)]
fn a_waiting_container_is_explained(#[case] waiting: &str, #[case] message: &str, #[case] expected: Reason) {
    let finding = only("{}", &pod(API, &waits(waiting, message)));
    assert_eq!((finding.part, finding.reason, finding.severity), (Part::Api, expected, Severity::Blocking));
}

#[test]
fn a_volume_that_failed_its_check_is_explained_by_the_report() {
    let report = r#"{"check":"owner","path":"","found":"0:0","wanted":"999:999"}"#;
    let mut status = container(&waiting("CrashLoopBackOff"), &terminated("Error", report), 1);
    status["containerStatuses"][0]["name"] = json!("preflight");
    status["initContainerStatuses"] = status["containerStatuses"].take();
    let finding = only("{}", &pod(DATABASE, &status));
    assert_eq!((finding.part, finding.reason), (Part::Storage, Reason::VolumeOwnerMismatch));
    assert_eq!(
        finding.message(),
        "The volume is owned by 0:0, and Postgres runs as 999:999. On the NFS server, run chown 999:999 and chmod 700 on the exported directory"
    );
}

#[rstest]
#[case::crash(
    "Error",
    "2026-11-21 02:43:07.123 UTC [1] FATAL:  no space\n",
    Reason::CrashLoopBackOff,
    "FATAL:  no space"
)]
#[case::silent("Error", "", Reason::CrashLoopBackOff, "exit code 1 and an empty log")]
#[case::memory("OOMKilled", "", Reason::OOMKilled, "exceeded its memory limit")]
#[case::login(
    "Error",
    "FATAL: password authentication failed for user \"x\"",
    Reason::AuthenticationFailed,
    "cannot log in to the database"
)]
#[case::slots(
    "Error",
    "FATAL: sorry, too many clients already",
    Reason::TooManyConnections,
    "too many clients"
)]
fn a_crash_looping_container_is_explained(
    #[case] reason: &str,
    #[case] message: &str,
    #[case] expected: Reason,
    #[case] problem: &str,
) {
    let last = terminated(reason, message);
    for state in [waiting("CrashLoopBackOff"), json!({"running": {}})] {
        let finding = only("{}", &pod(DATABASE, &container(&state, &last, 2)));
        assert_eq!((finding.part, finding.reason), (Part::Database, expected));
        assert!(finding.problem.contains(problem), "{}", finding.problem);
    }
}

#[rstest]
#[case::starting(&container(&waiting("ContainerCreating"), &json!({}), 0))]
#[case::running(&container(&json!({"running": {}}), &json!({}), 0))]
#[case::done(&container(&json!({"terminated": {"exitCode": 0}}), &json!({}), 0))]
#[case::nothing_known(&json!({}))]
fn a_starting_container_is_no_finding(#[case] status: &Value) {
    assert_eq!(found("{}", &pod(API, status)), []);
}

#[test]
fn a_full_volume_is_reported_instead_of_the_server_that_crashes_on_it() {
    let last = terminated("Error", "PANIC:  could not write to file: No space left on device\n");
    let finding = only("{}", &pod(DATABASE, &container(&waiting("CrashLoopBackOff"), &last, 2)));
    assert_eq!((finding.part, finding.reason), (Part::Storage, Reason::DiskFull));
}

fn unschedulable(seconds: i64, message: &str) -> Value {
    let since = now() - jiff::SignedDuration::from_secs(seconds);
    json!({"conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": since,
        "message": message,
    }]})
}

#[rstest]
#[case::resources(
    "0/1 nodes are available: 1 Insufficient cpu. preemption: none",
    Reason::InsufficientResources
)]
#[case::taint("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", Reason::UntoleratedTaint)]
#[case::selector(
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    Reason::Unschedulable
)]
fn an_unschedulable_pod_is_explained_after_the_grace_period(#[case] message: &str, #[case] expected: Reason) {
    assert_eq!(found("{}", &pod(API, &unschedulable(1, message))), []);
    let finding = only("{}", &pod(API, &unschedulable(30, message)));
    assert_eq!(finding.reason, expected);
    assert!(finding.problem.starts_with("is unschedulable: 0/1 nodes are available"), "{}", finding.problem);
    assert!(!finding.problem.contains("preemption"), "{}", finding.problem);
}

#[test]
fn a_pod_that_is_not_ready_while_its_containers_are_has_lost_its_node() {
    let mut status = container(&json!({"running": {}}), &json!({}), 0);
    status["containerStatuses"][0]["ready"] = json!(true);
    status["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    assert_eq!(only("{}", &pod(DATABASE, &status)).reason, Reason::NodeNotReady);
}

#[test]
fn a_pod_that_is_stuck_terminating_is_explained_after_its_grace_period() {
    let due = |seconds: i64| {
        let mut observed = pod(DATABASE, &json!({}));
        let due = now() - jiff::SignedDuration::from_secs(seconds);
        Arc::make_mut(&mut observed.pods[0]).metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(due));
        observed
    };
    assert_eq!(found("{}", &due(10)), []);
    assert_eq!(only("{}", &due(60)).reason, Reason::StuckTerminating);
}

fn deployment(kind: &str, status: &str, reason: &str, message: &str) -> Observed {
    let condition = json!({"type": kind, "status": status, "reason": reason, "message": message});
    let value = json!({"metadata": {}, "status": {"conditions": [condition]}});
    Observed { deployment: Some(Arc::new(serde_json::from_value(value).unwrap())), ..bound() }
}

#[test]
fn a_stuck_rollout_is_explained() {
    let observed = deployment("Progressing", "False", "ProgressDeadlineExceeded", "");
    assert_eq!(only("{}", &observed).reason, Reason::ProgressDeadlineExceeded);
}

#[rstest]
#[case::quota(
    "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1",
    Reason::QuotaExceeded
)]
#[case::security("violates PodSecurity \"restricted:latest\": seccompProfile", Reason::PodSecurityViolated)]
#[case::range("maximum memory usage per Container is 16Mi, but limit is 128Mi", Reason::LimitRangeViolated)]
#[case::webhook("admission webhook \"w\" denied the request", Reason::ApplyRejected)]
fn a_rejected_pod_is_explained_without_its_name(#[case] cause: &str, #[case] expected: Reason) {
    let message = format!("pods \"shop-api-x\" is forbidden: {cause}");
    let finding = only("{}", &deployment("ReplicaFailure", "True", "FailedCreate", &message));
    assert_eq!((finding.part, finding.reason), (Part::Objects, expected));
    assert_eq!(finding.problem, format!("was rejected: {cause}"));
}

#[test]
fn a_cause_comes_before_its_effects() {
    let mut observed =
        pod(API, &container(&waiting("CrashLoopBackOff"), &terminated("Error", "no database"), 3));
    observed.claim = None;
    let reasons: Vec<_> = found("{}", &observed).iter().map(|finding| finding.reason).collect();
    assert_eq!(reasons, [Reason::NoDefaultStorageClass, Reason::CrashLoopBackOff]);
}
