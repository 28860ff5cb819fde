//! That an error which ends a reconcile early is on the object, once.

use std::sync::Arc;

use http::Method;
use kube::core::{DeserializeGuard, error_boundary::InvalidObject};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::fixtures;

use super::api_server::{ApiServer, NO_ANSWER, Received, failure};
use crate::reconcile::{Error, reconcile};

const STACK: &str = "/apis/todostack.dev/v1alpha1/namespaces/shops/todostacks/shop";

fn condition(status: &Value, type_: &str) -> Option<Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == type_).cloned()
}

// A stack whose Secret cannot be read, and which was Ready before.
fn unobservable(code: u16) -> (TodoStack, ApiServer) {
    let mut stack = fixtures::todostack("{database: {external: {secret: {name: pg}}}}");
    stack.metadata.generation = Some(2);
    let ready = json!({"type": "Ready", "status": "True", "reason": "AsExpected", "message": "Serving",
        "observedGeneration": 1, "lastTransitionTime": fixtures::now()});
    stack.status =
        Some(serde_json::from_value(json!({"observedGeneration": 1, "conditions": [ready]})).unwrap());
    let answer = move |request: &Received| {
        let message = "secrets \"pg\" is forbidden: User \"operator\" cannot get resource \"secrets\"";
        request.path.ends_with("/secrets/pg").then(|| failure(code, "Error", message))
    };
    let server = ApiServer::answering(&stack, Arc::new(answer));
    (stack, server)
}

#[rstest]
#[tokio::test]
async fn an_object_that_cannot_be_read_is_reported_once(#[values(403, 500, 503)] code: u16) {
    let (stack, server) = unobservable(code);
    for _ in 0..3 {
        assert!(matches!(server.reconcile(&stack).await, Err(Error::Observe(_))));
    }
    let writes = server.writes();
    let events = writes.iter().filter(|write| write.contains("/events")).count();
    assert_eq!((writes.len(), events), (2, 1), "{writes:?}");
    let status = server.status();
    let reconciling = condition(&status, "Reconciling").unwrap();
    assert_eq!((&reconciling["status"], &reconciling["reason"]), (&json!("True"), &json!("ObserveFailed")));
    assert!(reconciling["message"].as_str().unwrap().starts_with("Secret pg could not be read"));
    assert_eq!(condition(&status, "Ready").unwrap()["status"], "True");
    assert_eq!(status["observedGeneration"], 1);
}

#[tokio::test]
async fn a_read_that_would_succeed_the_next_time_is_not_reported() {
    let (stack, server) = unobservable(429);
    assert!(server.reconcile(&stack).await.is_err());
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_finalizer_that_cannot_be_written_is_reported_and_no_data_is_created() {
    let stack = fixtures::todostack("{deletionPolicy: Delete}");
    let answer = |request: &Received| {
        let is_it = request.path == STACK && request.method == Method::PATCH;
        is_it.then(|| failure(403, "Forbidden", "denied by a policy"))
    };
    let server = ApiServer::answering(&stack, Arc::new(answer));
    assert!(server.reconcile(&stack).await.is_err());
    let reconciling = condition(&server.status(), "Reconciling").unwrap();
    assert_eq!(reconciling["reason"], "ApplyFailed");
    assert!(reconciling["message"].as_str().unwrap().contains("denied by a policy"), "{reconciling}");
    assert!(!server.writes().iter().any(|write| write.contains("/namespaces/shops/secrets")));
}

fn unreadable() -> DeserializeGuard<TodoStack> {
    let metadata = fixtures::todostack("{}").metadata;
    let error = "unknown variant `Archive`, expected `Retain` or `Delete`".to_owned();
    DeserializeGuard(Err(InvalidObject { error, metadata }))
}

// The requests of a reconcile of a stack that cannot be read and has these conditions, and what it writes.
async fn report_on(conditions: &Value) -> (Vec<String>, Option<Value>) {
    let found = json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack",
        "metadata": {"name": "shop", "namespace": "shops", "uid": "1", "generation": 1},
        "spec": {"deletionPolicy": "Archive"}, "status": {"conditions": conditions}});
    let answer = move |request: &Received| {
        let is_read = request.method == Method::GET && request.path == STACK;
        is_read.then(|| (200, found.clone()))
    };
    let server = ApiServer::answering(&fixtures::todostack("{}"), Arc::new(answer));
    reconcile(Arc::new(unreadable()), server.context.clone()).await.unwrap();
    let received = server.received.lock().unwrap();
    let status = received.iter().find(|request| request.path == format!("{STACK}/status"));
    let status = status.map(|request| request.body["status"].clone());
    drop(received);
    (server.writes(), status)
}

#[tokio::test]
async fn a_stack_that_cannot_be_read_is_reported_once_and_keeps_its_other_conditions() {
    let time = "2026-11-21T12:00:00Z";
    let before = |type_: &str| {
        json!({"type": type_, "status": "True", "reason": "AsExpected", "message": "well",
            "lastTransitionTime": time})
    };
    let (writes, status) = report_on(&json!([before("Ready"), before("StorageReady")])).await;
    assert_eq!(writes.len(), 2, "a status and an Event: {writes:?}");
    let status = status.unwrap();
    let ready = condition(&status, "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("SpecInvalid")));
    assert!(ready["message"].as_str().unwrap().contains("unknown variant `Archive`"), "{ready}");
    assert_eq!(condition(&status, "StorageReady").unwrap(), before("StorageReady"));

    let (writes, _) = report_on(&status["conditions"]).await;
    assert_eq!(writes, Vec::<String>::new());
}

#[tokio::test]
async fn a_pod_that_cannot_be_deleted_does_not_hide_the_status() {
    let (stack, listing) = super::rights::with_stuck_pod();
    let answer = |request: &Received| {
        let is_it = request.method == Method::DELETE && request.path.contains("/pods/");
        is_it.then(|| failure(403, "Forbidden", "denied by a policy"))
    };
    let server = ApiServer::with(&stack, listing, Arc::new(answer));
    assert!(matches!(server.reconcile(&stack).await, Err(Error::StuckPod(_))));
    assert!(condition(&server.status(), "Ready").is_some());
}

// After a request without an answer, each further one would wait for its timeout too.
#[tokio::test]
async fn nothing_that_needs_it_is_written_after_a_request_without_an_answer() {
    let stack = fixtures::todostack("{database: {sqlite: {}}, exposure: {host: h}}");
    let answer = |request: &Received| {
        let is_it = request.path.ends_with("/serviceaccounts/shop") && request.method == Method::PATCH;
        is_it.then_some((NO_ANSWER, Value::Null))
    };
    let server = ApiServer::answering(&stack, Arc::new(answer));
    assert!(matches!(server.reconcile(&stack).await, Err(Error::Apply(_))));
    let is_second = |write: &String| write.contains("/deployments/") || write.contains("/ingresses/");
    assert!(!server.writes().iter().any(is_second), "{:?}", server.writes());
    let ready = server.ready();
    assert!(ready["message"].as_str().unwrap().contains("did not answer"), "{ready}");
}
