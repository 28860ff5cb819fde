//! What the operator writes to the mock API server when a stack is deleted, and before: the finalizer.

use std::sync::Arc;

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::fixtures;

use super::api_server::{ApiServer, Received, failure};

const STACK: &str = "/apis/todostack.dev/v1alpha1/namespaces/shops/todostacks/shop";
const STORAGES: [&str; 4] = [
    "{}",
    "{postgres: {storage: {nfs: {server: nas, path: /e}}}}",
    "{sqlite: {}}",
    "{external: {secret: {name: pg}}}",
];

fn stack(policy: &str, database: &str, rest: &str) -> TodoStack {
    fixtures::todostack(&format!("{{deletionPolicy: {policy}, database: {database}{rest}}}"))
}

fn deleted(policy: &str, database: &str, finalizers: &[&str]) -> TodoStack {
    let mut stack = stack(policy, database, "");
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    stack.metadata.finalizers = Some(finalizers.iter().map(|name| (*name).to_owned()).collect());
    stack
}

// An object without content that this manager applied for the stack `shop` of this namespace.
fn data(request: &Received, manager: &str, namespace: &str) -> (u16, Value) {
    let labels = json!({
        "app.kubernetes.io/managed-by": "todostack-operator",
        "todostack.dev/stack": "shop", "todostack.dev/namespace": namespace,
    });
    let fields = json!([{"manager": manager, "operation": "Apply"}]);
    let name = request.path.rsplit('/').next();
    let metadata = json!({"name": name, "uid": "1", "labels": labels, "managedFields": fields});
    // A claim is read whole, since it names its volume.
    let (kind, version) = if request.path.contains("/persistentvolumeclaims/") {
        ("PersistentVolumeClaim", "v1")
    } else {
        ("PartialObjectMetadata", "meta.k8s.io/v1")
    };
    (200, json!({"kind": kind, "apiVersion": version, "metadata": metadata}))
}

fn is_read_of_data(request: &Received) -> bool {
    let is_data = request.path.contains("/persistentvolume") || request.path.contains("/secrets/");
    request.method == Method::GET && is_data
}

fn server(stack: &TodoStack, manager: &'static str, namespace: &'static str) -> ApiServer {
    ApiServer::answering(
        stack,
        Arc::new(move |request| is_read_of_data(request).then(|| data(request, manager, namespace))),
    )
}

fn deletions(server: &ApiServer) -> Vec<String> {
    server.writes().into_iter().filter(|write| write.starts_with("DELETE")).collect()
}

fn finalizers(server: &ApiServer) -> Vec<Value> {
    let received = server.received.lock().unwrap();
    let patches = received.iter().filter(|r| r.path == STACK && r.method == Method::PATCH);
    patches.filter_map(|patch| patch.body["metadata"].get("finalizers").cloned()).collect()
}

#[rstest]
#[tokio::test]
async fn the_finalizer_is_set_first_for_every_storage(
    #[values(0, 1, 2, 3)] storage: usize,
    #[values("", ", paused: true")] paused: &str,
) {
    let stack = stack("Delete", STORAGES[storage], paused);
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(server.writes()[0], format!("PATCH {STACK}"));
    assert_eq!(finalizers(&server), [json!(["todostack.dev/cleanup"])]);
}

#[tokio::test]
async fn no_data_is_created_when_the_finalizer_cannot_be_set() {
    let stack = stack("Delete", "{}", "");
    let server = ApiServer::answering(
        &stack,
        Arc::new(move |r| {
            (r.path == STACK && r.method == Method::PATCH).then(|| failure(409, "Conflict", ""))
        }),
    );
    assert!(server.reconcile(&stack).await.is_err());
    assert_eq!(server.writes(), [format!("PATCH {STACK}")]);
}

#[tokio::test]
async fn retain_removes_the_finalizer_of_a_paused_stack() {
    let mut stack = stack("Retain", "{}", ", paused: true");
    stack.metadata.finalizers = Some(vec!["todostack.dev/cleanup".into(), "example.com/other".into()]);
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(finalizers(&server), [json!(["example.com/other"])]);
}

#[rstest]
#[tokio::test]
async fn the_policy_that_stands_at_the_deletion_decides(
    #[values(0, 1, 2, 3)] storage: usize,
    #[values("Retain", "Delete")] policy: &str,
) {
    let stack = deleted(policy, STORAGES[storage], &["example.com/other", "todostack.dev/cleanup"]);
    let server = server(&stack, "todostack-operator", "shops");
    server.reconcile(&stack).await.unwrap();
    let names = deletions(&server);
    if policy == "Retain" {
        assert_eq!(names, Vec::<String>::new());
    } else {
        let count = |part: &str| names.iter().filter(|name| name.contains(part)).count();
        let volumes = usize::from(storage == 1);
        assert_eq!((count("/secrets/"), count("claims/"), count("volumes/")), (3, 2, volumes), "{names:?}");
    }
    // The finalizer goes last, and only ours.
    assert_eq!(finalizers(&server), [json!(["example.com/other"])]);
    assert_eq!(server.writes().last(), Some(&format!("PATCH {STACK}")));
}

#[rstest]
#[case::another_manager("kubectl", "shops")]
#[case::another_namespace("todostack-operator", "elsewhere")]
#[tokio::test]
async fn what_the_operator_did_not_apply_for_the_stack_is_kept(
    #[case] manager: &'static str,
    #[case] namespace: &'static str,
) {
    let stack = deleted("Delete", STORAGES[1], &["todostack.dev/cleanup"]);
    let server = server(&stack, manager, namespace);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(deletions(&server), Vec::<String>::new());
    assert_eq!(finalizers(&server), [json!([])]);
}

#[tokio::test]
async fn a_stack_that_changed_since_it_was_read_deletes_nothing() {
    let stack = deleted("Delete", "{}", &["todostack.dev/cleanup"]);
    let server = ApiServer::answering(
        &stack,
        Arc::new(move |request| {
            if is_read_of_data(request) {
                return Some(data(request, "todostack-operator", "shops"));
            }
            (request.method == Method::PATCH).then(|| failure(409, "Conflict", ""))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    assert_eq!(deletions(&server), Vec::<String>::new());
}

// The API server fails at each write in turn: the finalizer stays until every write was accepted.
#[tokio::test]
async fn a_deletion_that_is_interrupted_keeps_the_finalizer() {
    let stack = deleted("Delete", STORAGES[1], &["todostack.dev/cleanup"]);
    let complete = server(&stack, "todostack-operator", "shops");
    complete.reconcile(&stack).await.unwrap();
    let writes = complete.writes();
    for last in 1..writes.len() {
        let failing = writes[last].clone();
        let server = ApiServer::answering(
            &stack,
            Arc::new(move |request| {
                if is_read_of_data(request) {
                    return Some(data(request, "todostack-operator", "shops"));
                }
                let is_first = request.body["metadata"].get("finalizers").is_none() && request.path == STACK;
                let is_failing = format!("{} {}", request.method, request.path) == failing;
                (is_failing && !is_first).then(|| failure(500, "InternalError", ""))
            }),
        );
        assert!(server.reconcile(&stack).await.is_err(), "{}", writes[last]);
        let all = server.writes();
        let (until, after) = all.split_at(last + 1);
        assert_eq!(until, &writes[..=last]);
        // The error is reported on the object.
        assert!(after.first().is_some_and(|write| *write == format!("PATCH {STACK}/status")), "{after:?}");
    }
}

#[tokio::test]
async fn a_deleted_stack_without_the_finalizer_is_left_to_the_garbage_collector() {
    let mut stack = fixtures::todostack("{}");
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    let server = ApiServer::new(&stack);
    server.reconcile(&stack).await.unwrap();
    assert!(server.received.lock().unwrap().is_empty());
}
