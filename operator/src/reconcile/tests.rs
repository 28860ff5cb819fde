//! Conversations with a mock API server: which requests a reconcile makes, and in which order.

use std::sync::Arc;

use api_server::{ApiServer, Received, not_found};
use http::Method;
use serde_json::json;

use super::*;
use todostack_stack::fixtures;

mod api_server;
mod deletion;
mod rights;

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
    assert_eq!(
        children.collect::<Vec<_>>(),
        [
            format!("PATCH {CORE}/serviceaccounts/shop"),
            format!("PATCH {CORE}/secrets/shop-db-superuser"),
            format!("PATCH {CORE}/secrets/shop-db-app"),
            format!("PATCH {CORE}/persistentvolumeclaims/shop-db"),
            format!("PATCH {CORE}/services/shop-db"),
            "PATCH /apis/apps/v1/namespaces/shops/statefulsets/shop-db".to_owned(),
            format!("PATCH {job}"),
            format!("PATCH {CORE}/services/shop-api"),
            "PATCH /apis/apps/v1/namespaces/shops/deployments/shop-api".to_owned(),
            "PATCH /apis/policy/v1/namespaces/shops/poddisruptionbudgets/shop-api".to_owned(),
            "PATCH /apis/networking.k8s.io/v1/namespaces/shops/ingresses/shop".to_owned(),
        ]
    );
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
            let foreign = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"name": "shop-db-app", "namespace": "shops", "uid": "theirs"}});
            (request.method == Method::GET && request.path.ends_with("/secrets/shop-db-app"))
                .then_some((200, foreign))
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
            let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden",
                "code": 403, "message": "exceeded quota: small"});
            request
                .path
                .ends_with("/statefulsets/shop-db")
                .then(|| if request.method == Method::PATCH { (403, refusal) } else { (404, not_found()) })
        }),
    );
    server.reconcile(&stack).await.unwrap();
    assert!(server.writes().iter().any(|write| write.ends_with("/ingresses/shop")));
    let ready = server.ready();
    assert_eq!(ready["reason"], "QuotaExceeded");
    assert!(ready["message"].as_str().unwrap().contains("exceeded quota: small"), "{ready}");
}

#[tokio::test]
async fn an_api_server_that_fails_ends_the_reconcile_with_an_error() {
    let stack = fixtures::todostack("{}");
    let broken =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "etcd"});
    let server = ApiServer::answering(
        &stack,
        Arc::new(move |request| (request.method == Method::PATCH).then(|| (500, broken.clone()))),
    );
    assert!(matches!(server.reconcile(&stack).await, Err(Error::Apply(_))));
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
    let job = listing.managed.jobs[0].metadata.name.clone();
    let labels = json!({
        "app.kubernetes.io/managed-by": "todostack-operator", "todostack.dev/stack": "shop",
        "todostack.dev/namespace": "shops", "job-name": job,
    });
    let metadata = json!({"name": "p", "namespace": "shops", "labels": labels});
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
