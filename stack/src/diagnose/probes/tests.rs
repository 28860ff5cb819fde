//! Findings on running containers whose probe fails.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Event;
use serde_json::json;

use super::*;
use crate::{
    applied::Applied,
    diagnose::diagnose,
    fixtures::{now, resolved_from},
    observed::Observed,
};

const STARTED: i64 = 60;

// A pod whose one container has run for a minute and is not ready, and the Event of its probe.
fn unready(component: &str, container: &str, message: &str) -> Observed {
    let labels = json!({"app.kubernetes.io/component": component, "todostack.dev/stack": "shop"});
    let running = json!({"running": {"startedAt": ago(STARTED)}});
    let status = json!({"containerStatuses": [{
        "name": container, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": running,
    }]});
    let metadata = json!({"name": "p", "namespace": "shops", "uid": "7", "labels": labels});
    let pod = serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap();
    let claim = json!({"metadata": {"name": "shop-db"}, "status": {"phase": "Bound"}});
    Observed {
        pods: vec![Arc::new(pod)],
        claim: Some(Arc::new(serde_json::from_value(claim).unwrap())),
        events: vec![event(message, 1)],
        ..Observed::default()
    }
}

fn event(message: &str, seconds: i64) -> Event {
    serde_json::from_value::<Event>(json!({
        "metadata": {}, "reason": "Unhealthy", "count": 6, "lastTimestamp": ago(seconds),
        "message": format!("Readiness probe failed: {message}"), "involvedObject": {"kind": "Pod", "uid": "7"},
    }))
    .unwrap()
}

fn ago(seconds: i64) -> String {
    (now() - SignedDuration::from_secs(seconds)).to_string()
}

fn found(spec: &str, observed: &Observed) -> Vec<(Part, Reason)> {
    let stack = resolved_from(spec, observed);
    let applied = Applied::default();
    let findings = diagnose(Evidence { stack: &stack, observed, applied: &applied, now: now() });
    findings.iter().map(|finding| (finding.part, finding.reason)).collect()
}

#[test]
fn a_recovering_server_is_reported() {
    let observed = unready("database", "postgres", "127.0.0.1:5432 - rejecting connections");
    assert_eq!(found("{}", &observed), [(Part::Database, Reason::DatabaseRecovering)]);
}

#[rstest::rstest]
#[case::nfs(
    "database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}",
    (Part::Storage, Reason::NfsServerUnreachable)
)]
#[case::disk("{}", (Part::Database, Reason::ProbeFailed))]
fn a_volume_that_does_not_respond_is_reported(#[case] spec: &str, #[case] expected: (Part, Reason)) {
    let message = "the volume does not answer within 3 s";
    let mut observed = unready("database", "postgres", message);
    if spec.contains("nfs") {
        let claim = json!({"metadata": {"name": "shop-db"}, "status": {"phase": "Bound"},
            "spec": {"storageClassName": "", "volumeName": crate::names::volume("shops", "shop")}});
        observed.claim = Some(Arc::new(serde_json::from_value(claim).unwrap()));
    }
    assert_eq!(found(spec, &observed), [expected]);
}

#[test]
fn an_event_from_before_a_restart_is_ignored() {
    let mut observed = unready("database", "postgres", "127.0.0.1:5432 - rejecting connections");
    observed.events = vec![event("127.0.0.1:5432 - rejecting connections", STARTED + 1)];
    assert_eq!(found("{}", &observed), []);
}

#[test]
fn an_api_pod_that_is_not_ready_while_its_dependencies_are_is_reported() {
    let observed = unready("api", "api", "HTTP probe failed with statuscode: 503");
    assert_eq!(found("{database: {sqlite: {}}}", &observed), [(Part::Api, Reason::ProbeFailed)]);
}
