//! Findings on running containers whose probe fails.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde_json::json;

use super::*;
use crate::{
    applied::Applied,
    diagnose::diagnose,
    fixtures::{now, resolved_from},
    observed::{Lookup, Observed, Referenced},
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

fn external(mut observed: Observed) -> Observed {
    let keys = ["username", "password", "host", "dbname"];
    let data = keys.map(|key| (key.to_owned(), ByteString(key.as_bytes().to_vec())));
    let metadata = ObjectMeta { name: Some("own".to_owned()), ..ObjectMeta::default() };
    let secret = Secret { metadata, data: Some(data.into()), ..Secret::default() };
    observed.referenced = Referenced { external: Lookup::Found(Box::new(secret)), ..Referenced::default() };
    observed
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

#[rstest::rstest]
#[case::away("Connection refused (os error 111)", Reason::DatabaseUnreachable)]
#[case::unknown("failed to lookup address information", Reason::DatabaseUnreachable)]
#[case::crowded("error returned from database: sorry, too many clients already", Reason::TooManyConnections)]
#[case::reserved("remaining connection slots are reserved for roles with x", Reason::TooManyConnections)]
#[case::recovering("the database system is starting up", Reason::DatabaseRecovering)]
fn what_a_migration_waits_for_is_reported(#[case] cause: &str, #[case] reason: Reason) {
    let message =
        format!("todostack-api: failed on postgres://db:5432/shop: the database is not available: {cause}");
    let observed = external(unready("migration", "migrate", &message));
    assert_eq!(found("{database: {external: {secret: {name: own}}}}", &observed), [(Part::Database, reason)]);
}

#[test]
fn a_running_migration_is_no_finding() {
    let message = "todostack-api: schema version 0, want 1: run `todostack-api migrate`";
    let observed = external(unready("migration", "migrate", message));
    assert_eq!(found("{database: {external: {secret: {name: own}}}}", &observed), []);
}

#[test]
fn an_api_pod_that_is_not_ready_while_its_dependencies_are_is_reported() {
    let observed = unready("api", "api", "HTTP probe failed with statuscode: 503");
    assert_eq!(found("{database: {sqlite: {}}}", &observed), [(Part::Api, Reason::ProbeFailed)]);
}
