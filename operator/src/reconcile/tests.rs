//! Conversations with a mock API server: which requests a reconcile makes, and in which order.

use std::sync::Arc;

use api_server::{ApiServer, Received, failure, foreign};
use http::Method;
use serde_json::json;

use super::*;
use todostack_stack::fixtures;

mod api_faults;
mod api_server;
mod autoscaler;
mod changes;
mod cluster;
mod confined;
mod conflicts;
mod cost;
mod crashes;
mod deletion;
mod errors;
mod leading;
mod migration;
mod origin;
mod random_changes;
mod refusals;
mod rights;
mod scale;
mod sharded;
mod trials;
mod upgrades;
mod volumes;

const CORE: &str = "/api/v1/namespaces/shops";

#[tokio::test]
async fn a_new_stack_is_written_in_the_order_in_which_pods_need_it() {
    let stack = fixtures::todostack("{exposure: {host: shop.example.com}}");
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    let job = format!(
        "/apis/batch/v1/namespaces/shops/jobs/{}",
        todostack_stack::names::migration("shop", "registry.example.com/api:1", &revision(&server))
    );
    let children =
        server.writes().into_iter().filter(|w| w.starts_with("PATCH") && !w.contains("todostack.dev"));
    // Each group after the answers to the one before.
    let expected = [
        vec![
            format!("PATCH {CORE}/serviceaccounts/shop"),
            format!("PATCH {CORE}/secrets/shop-db-superuser"),
            format!("PATCH {CORE}/secrets/shop-db-app"),
            format!("PATCH {CORE}/persistentvolumeclaims/shop-db"),
            format!("PATCH {CORE}/services/shop-db"),
            format!("PATCH {CORE}/services/shop-api"),
            "PATCH /apis/policy/v1/namespaces/shops/poddisruptionbudgets/shop-api".to_owned(),
        ],
        vec![
            "PATCH /apis/apps/v1/namespaces/shops/statefulsets/shop-db".to_owned(),
            format!("PATCH {job}"),
            "PATCH /apis/apps/v1/namespaces/shops/deployments/shop-api".to_owned(),
            "PATCH /apis/networking.k8s.io/v1/namespaces/shops/ingresses/shop".to_owned(),
        ],
    ];
    assert_eq!(children.collect::<Vec<_>>(), expected.concat());
}

fn revision(server: &ApiServer) -> String {
    let received = server.received.lock().unwrap();
    let applied = |request: &&Received| {
        request.method == Method::PATCH && request.path.ends_with("deployments/shop-api")
    };
    let deployment = received.iter().find(applied).unwrap();
    deployment.body["metadata"]["annotations"]["todostack.dev/released-revision"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_second_reconcile_before_the_watches_catch_up_writes_nothing() {
    let stack = fixtures::todostack("{database: {sqlite: {}}}");
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    server.clear();
    server.reconcile(&stack).await.unwrap();
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_foreign_object_is_kept_and_reported() {
    let stack = fixtures::todostack("{}");
    let server = ApiServer::answering(
        &stack,
        Arc::new(|request| {
            (request.method == Method::GET && request.path.ends_with("/secrets/shop-db-app"))
                .then(|| foreign("shop-db-app"))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    assert!(!server.writes().iter().any(|write| write.ends_with("/secrets/shop-db-app")));
    let ready = server.ready();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("NameConflict")));
    assert!(ready["message"].as_str().unwrap().starts_with("Secret shop-db-app "), "{ready}");
}

#[tokio::test]
async fn a_rejected_object_does_not_stop_the_others() {
    let stack = fixtures::todostack("{exposure: {host: shop.example.com}}");
    let server = ApiServer::answering(
        &stack,
        Arc::new(|request| {
            let is_write = request.method == Method::PATCH;
            (is_write && request.path.ends_with("/statefulsets/shop-db"))
                .then(|| failure(403, "Forbidden", "exceeded quota: small"))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    assert!(server.writes().iter().any(|write| write.ends_with("/ingresses/shop")));
    let ready = server.ready();
    assert_eq!(ready["reason"], "QuotaExceeded");
    assert!(ready["message"].as_str().unwrap().contains("exceeded quota: small"), "{ready}");
}

#[tokio::test]
async fn a_write_that_fails_is_reported_and_tried_again_while_the_others_go_on() {
    let stack = fixtures::todostack("{database: {sqlite: {}}, exposure: {host: shop.example.com}}");
    let server = ApiServer::answering(
        &stack,
        Arc::new(|request| {
            let message = "Internal error occurred: failed calling webhook \"broken.example.com\"";
            (request.method == Method::PATCH && request.path.contains("/services/"))
                .then(|| failure(500, "InternalError", message))
        }),
    );
    assert!(matches!(server.reconcile(&stack).await, Err(Error::Apply(_))));
    let ready = server.ready();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("ApplyFailed")));
    assert!(ready["message"].as_str().unwrap().contains("broken.example.com"), "{ready}");
    let writes = server.writes();
    assert!(writes.iter().any(|write| write.ends_with("/deployments/shop-api")), "{writes:?}");
    assert!(
        !writes.iter().any(|write| write.ends_with("/ingresses/shop")),
        "it needs the Service: {writes:?}"
    );
}

#[tokio::test]
async fn a_conflict_is_tried_again_and_no_finding() {
    let stack = fixtures::todostack("{database: {sqlite: {}}}");
    let server = ApiServer::answering(
        &stack,
        Arc::new(|request| {
            (request.method == Method::PATCH && request.path.contains("/services/"))
                .then(|| failure(409, "Conflict", "the object has been modified"))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    let status = server.status().to_string();
    assert!(!status.contains("has been modified") && !status.contains("ApplyRejected"), "{status}");
}

// Names of the objects that were written and whose body has this text.
fn written_with(server: &ApiServer, text: &str) -> Vec<String> {
    let received = server.received.lock().unwrap();
    let is_object =
        |request: &&Received| request.method == Method::PATCH && !request.path.contains("todostack.dev");
    let with = received.iter().filter(is_object).filter(|request| request.body.to_string().contains(text));
    with.map(|request| request.path.clone()).collect()
}

#[tokio::test]
async fn nothing_refers_to_an_object_that_is_foreign_or_rejected() {
    let spec = "{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}";
    let names = [
        ("/serviceaccounts/shop", "\"serviceAccountName\":\"shop\""),
        ("/secrets/shop-db-superuser", "shop-db-superuser"),
        ("/secrets/shop-db-app", "\"shop-db-app\""),
        ("/persistentvolumeclaims/shop-db", "\"claimName\":\"shop-db\""),
    ];
    for (path, text) in names {
        for is_foreign in [true, false] {
            let stack = fixtures::todostack(spec);
            let answer = move |request: &Received| match request.method {
                _ if !request.path.ends_with(path) => None,
                Method::GET => is_foreign.then(|| foreign("theirs")),
                _ => Some(failure(403, "Forbidden", "denied by a policy")),
            };
            let server = ApiServer::answering(&stack, Arc::new(answer));
            for _ in 0..3 {
                server.reconcile(&stack).await.unwrap();
            }
            let users = written_with(&server, text);
            let users: Vec<_> = users.into_iter().filter(|user| !user.ends_with(path)).collect();
            assert!(users.is_empty(), "{path}, foreign: {is_foreign}: {users:?}");
        }
    }
}

#[tokio::test]
async fn nothing_connects_through_a_service_that_is_foreign_or_rejected() {
    for is_foreign in [true, false] {
        let stack = fixtures::todostack("{}");
        let answer = move |request: &Received| match request.method {
            _ if !request.path.ends_with("/services/shop-db") => None,
            Method::GET => is_foreign.then(|| foreign("theirs")),
            _ => Some(failure(403, "Forbidden", "denied by a policy")),
        };
        let server = ApiServer::answering(&stack, Arc::new(answer));
        server.reconcile(&stack).await.unwrap();
        for kind in ["statefulsets", "jobs", "deployments"] {
            let is_of_kind = |write: &String| write.contains(&format!("/{kind}/"));
            assert!(!server.writes().iter().any(is_of_kind), "{kind}, foreign: {is_foreign}");
        }
    }
}

#[tokio::test]
async fn a_paused_stack_is_reported_and_not_written() {
    let stack = fixtures::todostack("{paused: true}");
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    let patches: Vec<_> = server.writes().into_iter().filter(|write| write.starts_with("PATCH")).collect();
    assert_eq!(patches, ["PATCH /apis/todostack.dev/v1alpha1/namespaces/shops/todostacks/shop/status"]);
}

// The stack `shop` with its objects of before an edit, and a migration pod in this phase.
async fn writes_of_an_edit_while_the_migration_pod_is(phase: &str) -> Vec<String> {
    let mut listing = fixtures::listing(&fixtures::resolved("{}"));
    let job = Arc::make_mut(&mut listing.managed.jobs[0]);
    job.metadata.uid = Some("job".into());
    let labels = json!({
        "app.kubernetes.io/managed-by": "todostack-operator", "todostack.dev/stack": "shop",
        "todostack.dev/namespace": "shops",
    });
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": job.metadata.name, "uid": "job"});
    let metadata = json!({"name": "p", "namespace": "shops", "labels": labels, "ownerReferences": [owner]});
    let pod = json!({"metadata": metadata, "status": {"phase": phase}});
    listing.pods.push(Arc::new(serde_json::from_value(pod).unwrap()));
    let stack = fixtures::todostack("{api: {tolerations: [{operator: Exists}]}}");
    let server = ApiServer::with(&stack, listing, Arc::new(|_| None));
    server.reconcile(&stack).await.unwrap();
    server.writes()
}

#[tokio::test]
async fn a_migration_that_has_not_started_is_created_again_after_an_edit() {
    let is_deletion = |write: &String| write.starts_with("DELETE") && write.contains("/jobs/");
    let deleted =
        async |phase| writes_of_an_edit_while_the_migration_pod_is(phase).await.iter().any(is_deletion);
    assert!(deleted("Pending").await);
    assert!(!deleted("Running").await);
}
