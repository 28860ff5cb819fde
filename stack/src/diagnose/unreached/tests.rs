//! Findings on migrations that wait for their server.

use std::sync::Arc;

use k8s_openapi::{
    ByteString,
    api::core::v1::{Event, Pod, Secret},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    applied::Applied,
    diagnose::diagnose,
    fixtures::{now, resolved_from},
    observed::{Lookup, Observed},
};

const EXTERNAL: &str = "{database: {external: {secret: {name: own}}}}";

fn ago(seconds: i64) -> String {
    (now() - SignedDuration::from_secs(seconds)).to_string()
}

fn container(name: &str, state: &Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

fn pod(component: &str, status: &Value) -> Arc<Pod> {
    let labels = json!({"app.kubernetes.io/component": component, "todostack.dev/stack": "shop"});
    let metadata = json!({"name": component, "namespace": "shops", "uid": component, "labels": labels});
    Arc::new(serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap())
}

/// A bound claim, and a Secret of the user's with credentials.
fn observed() -> Observed {
    let claim = json!({"metadata": {"name": "shop-db"}, "status": {"phase": "Bound"}});
    let keys = ["username", "password", "host", "dbname"];
    let data = keys.map(|key| (key.to_owned(), ByteString(key.as_bytes().to_vec())));
    let secret = Secret { data: Some(data.into()), ..Secret::default() };
    let mut observed =
        Observed { claim: Some(Arc::new(serde_json::from_value(claim).unwrap())), ..Observed::default() };
    observed.referenced.external = Lookup::Found(Box::new(secret));
    observed
}

/// A migration whose container has run for a minute, and the Event of its probe.
fn migrating(message: &str) -> Observed {
    let state = json!({"running": {"startedAt": ago(60)}});
    let event = json!({
        "metadata": {}, "reason": "Unhealthy", "count": 2, "lastTimestamp": ago(1),
        "message": format!("Readiness probe failed: todostack-api: {message}"),
        "involvedObject": {"kind": "Pod", "uid": "migration"},
    });
    Observed {
        pods: vec![pod("migration", &json!({"containerStatuses": [container("migrate", &state)]}))],
        events: vec![serde_json::from_value::<Event>(event).unwrap()],
        ..observed()
    }
}

/// A migration whose init container has run for so long, with a database pod that is ready since so long.
fn creating_roles(seconds: i64, ready: Option<i64>, injected: &[&str]) -> Observed {
    let init = container("roles", &json!({"running": {"startedAt": ago(seconds)}}));
    let waiting = json!({"waiting": {"reason": "PodInitializing"}});
    let containers: Vec<_> =
        [&["migrate"], injected].concat().into_iter().map(|name| container(name, &waiting)).collect();
    let status = json!({"initContainerStatuses": [init], "containerStatuses": containers});
    let condition =
        ready.map(|seconds| json!({"type": "Ready", "status": "True", "lastTransitionTime": ago(seconds)}));
    let database = json!({"conditions": condition.into_iter().collect::<Vec<_>>()});
    Observed { pods: vec![pod("database", &database), pod("migration", &status)], ..observed() }
}

fn found(spec: &str, observed: &Observed) -> Vec<Finding> {
    let stack = resolved_from(spec, observed);
    let applied = Applied::default();
    diagnose(Evidence { stack: &stack, observed, applied: &applied, now: now() })
}

fn reasons(spec: &str, observed: &Observed) -> Vec<(Part, Reason, Severity)> {
    found(spec, observed).iter().map(|finding| (finding.part, finding.reason, finding.severity)).collect()
}

#[rstest]
#[case::away("Connection refused (os error 111)", Reason::DatabaseUnreachable)]
#[case::unknown("failed to lookup address information", Reason::DatabaseUnreachable)]
#[case::crowded("error returned from database: sorry, too many clients already", Reason::TooManyConnections)]
#[case::reserved("remaining connection slots are reserved for roles with x", Reason::TooManyConnections)]
#[case::recovering("the database system is starting up", Reason::DatabaseRecovering)]
fn what_a_migration_waits_for_is_reported(#[case] cause: &str, #[case] reason: Reason) {
    let message = format!("failed on postgres://db:5432/shop: the database is not available: {cause}");
    let expected = (Part::Database, reason, Severity::Transient);
    assert_eq!(reasons(EXTERNAL, &migrating(&message)), [expected]);
}

#[rstest]
#[case::password("password authentication failed for user \"shop\"")]
#[case::database("database \"shop\" does not exist")]
#[case::role("role \"shop\" is not permitted to log in")]
fn a_migration_that_is_denied_access_needs_a_user(#[case] cause: &str) {
    let message = format!("failed on postgres://db:5432/shop: the database denied access: {cause}");
    let findings = found(EXTERNAL, &migrating(&message));
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.part, finding.reason), (Part::Database, Reason::AuthenticationFailed));
    assert_eq!(finding.severity, Severity::Blocking);
    assert_eq!(
        finding.message(),
        format!(
            "Container migrate cannot log in at postgres://db:5432/shop: {cause}. Correct username and password in the Secret that spec.database references, or the role on the server"
        )
    );
}

#[rstest]
#[case::options("ignore_startup_parameters = options", "unsupported startup parameter: options")]
#[case::transactions("pool_mode = session", "prepared statement \"sqlx_s_1\" already exists")]
fn a_pooler_that_does_not_work_is_reported_with_the_line_to_set(#[case] line: &str, #[case] error: &str) {
    let message = format!(
        "failed on postgres://db:6432/shop: the connection pooler lacks a setting that this service needs, {line}: error returned from database: {error}"
    );
    let findings = found(EXTERNAL, &migrating(&message));
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.part, finding.reason), (Part::Database, Reason::PoolerIncompatible));
    assert_eq!(finding.severity, Severity::Blocking);
    let start = format!(
        "Container migrate cannot use the connection pooler at postgres://db:6432/shop: error returned from database: {error}. Set {line} in pgbouncer.ini"
    );
    assert!(finding.message().starts_with(&start), "{}", finding.message());
}

#[test]
fn a_running_migration_is_no_finding() {
    let message = "schema version 0, want 1: run `todostack-api migrate`";
    assert_eq!(found(EXTERNAL, &migrating(message)), []);
}

#[rstest]
#[case::the_server_starts(600, None, false)]
#[case::the_server_has_just_started(600, Some(29), false)]
#[case::it_has_just_begun(29, Some(600), false)]
#[case::the_network_is_at_fault(30, Some(30), true)]
fn roles_that_wait_for_a_server_that_accepts_connections_cannot_reach_it(
    #[case] waiting: i64,
    #[case] ready: Option<i64>,
    #[case] is_reported: bool,
) {
    let expected = (Part::Database, Reason::DatabaseUnreachable, Severity::Transient);
    let expected = if is_reported { vec![expected] } else { vec![] };
    assert_eq!(reasons("{}", &creating_roles(waiting, ready, &[])), expected);
}

#[test]
fn the_remedy_of_roles_names_the_address_and_what_may_forbid_the_connection() {
    let message = found("{}", &creating_roles(60, Some(60), &[]))[0].message();
    for part in
        ["shop-db.shops.svc.cluster.local:5432", "kubectl -n shops get networkpolicies", "clusterDomain"]
    {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("injected"), "{message}");
    let message = found("{}", &creating_roles(60, Some(60), &["istio-proxy"]))[0].message();
    assert!(message.contains("Container istio-proxy was injected"), "{message}");
}
