//! What the operator writes where an object with a name that it needs exists already: its own, one of an
//! earlier stack, or a foreign one, whatever their labels.

use std::sync::Arc;

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use todostack_stack::{
    fixtures,
    managed::{self, Key, Kind},
    observed::Listing,
    requirements::Requirements,
    stack_ref::StackRef,
};

use super::api_server::{ApiServer, Received};

const SPECS: [&str; 3] = [
    "{exposure: {host: h}, database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}",
    "{exposure: {host: h}, database: {sqlite: {}}, api: {replicas: 2}}",
    "{database: {external: {secret: {name: pg}}}}",
];

// The objects that the specs ask for.
fn keys() -> Vec<(&'static str, Key)> {
    let of = |spec: &'static str| {
        let stack = fixtures::todostack(spec);
        let (id, requirements) = (StackRef::try_from(&stack).unwrap(), Requirements::from(&stack.spec));
        managed::expected(&id, &requirements).into_iter().map(move |key| (spec, key))
    };
    SPECS.into_iter().flat_map(of).collect()
}

fn path_end(key: &Key) -> String {
    format!("/{}/{}", key.kind.api_resource().plural, key.name)
}

// Metadata with all labels of the stack `shop`.
fn metadata(key: &Key, manager: &str, owner: Option<&str>) -> Value {
    let owner = owner.map(|uid| {
        json!([{"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "name": "shop", "uid": uid,
            "controller": true}])
    });
    let labels = json!({
        "app.kubernetes.io/managed-by": "todostack-operator",
        "todostack.dev/stack": "shop", "todostack.dev/namespace": "shops",
    });
    json!({"name": key.name, "namespace": key.kind.is_namespaced().then_some("shops"), "uid": "found",
        "labels": labels, "resourceVersion": "9", "ownerReferences": owner,
        "managedFields": [{"manager": manager, "operation": "Apply"}]})
}

// A server on which that object exists.
fn server(spec: &str, key: &Key, metadata: &Value) -> ApiServer {
    let (end, metadata) = (path_end(key), metadata.clone());
    let secret = json!({"username": "YQ==", "password": "YQ==", "host": "aA==", "dbname": "ZA=="});
    ApiServer::answering(
        &fixtures::todostack(spec),
        Arc::new(move |request: &Received| match request.method {
            Method::GET if request.path.ends_with(&end) => Some((200, json!({"metadata": metadata}))),
            Method::GET if request.path.ends_with("/secrets/pg") => {
                Some((200, json!({"metadata": {"name": "pg", "namespace": "shops"}, "data": secret})))
            }
            _ => None,
        }),
    )
}

async fn reconcile(spec: &str, key: &Key, metadata: &Value) -> (bool, Value) {
    let server = server(spec, key, metadata);
    for _ in 0..2 {
        server.reconcile(&fixtures::todostack(spec)).await.unwrap();
    }
    let is_written = server.writes().iter().any(|write| write.ends_with(&path_end(key)));
    (is_written, server.ready())
}

#[rstest]
#[case::foreign("kubectl", None, "NameConflict")]
#[case::foreign_with_our_owner("kubectl", Some("11111111-2222-3333-4444-555555555555"), "NameConflict")]
#[case::of_an_earlier_stack("todostack-operator", Some("earlier"), "Progressing")]
#[tokio::test]
async fn an_object_of_any_kind_that_is_not_the_operators_own_is_kept_and_reported(
    #[case] manager: &str,
    #[case] owner: Option<&str>,
    #[case] reason: &str,
) {
    for (spec, key) in keys() {
        let (is_written, ready) = reconcile(spec, &key, &metadata(&key, manager, owner)).await;
        assert!(!is_written, "{key} of {spec}");
        assert_eq!(ready["reason"], reason, "{key} of {spec}: {ready}");
        assert!(ready["message"].as_str().unwrap().starts_with(&key.to_string()), "{ready}");
    }
}

#[tokio::test]
async fn an_object_of_a_restored_backup_is_given_its_owner_again() {
    for (spec, key) in keys() {
        let (is_written, ready) = reconcile(spec, &key, &metadata(&key, "todostack-operator", None)).await;
        assert!(is_written, "{key} of {spec}");
        assert_ne!(ready["reason"], "NameConflict", "{key}");
    }
}

// As `kubectl label` of a Service of another namespace, and a Service that has the name.
#[tokio::test]
async fn an_object_of_another_namespace_with_the_labels_does_not_hide_a_foreign_one() {
    let spec = "{database: {sqlite: {}}}";
    let key = Key { kind: Kind::Service, name: "shop-api".into() };
    let mut elsewhere = metadata(&key, "kubectl", None);
    elsewhere["namespace"] = json!("m1");
    let mut listing = Listing::default();
    let service = serde_json::from_value(json!({"metadata": elsewhere})).unwrap();
    listing.managed.services.push(Arc::new(service));
    let foreign = metadata(&key, "kubectl", None);
    let answer = move |request: &Received| {
        let is_it =
            request.method == Method::GET && request.path.ends_with("/namespaces/shops/services/shop-api");
        is_it.then(|| (200, json!({"metadata": foreign})))
    };
    let stack = fixtures::todostack(spec);
    let server = ApiServer::with(&stack, listing, Arc::new(answer));
    for _ in 0..2 {
        server.reconcile(&stack).await.unwrap();
    }
    assert_eq!(server.ready()["reason"], "NameConflict");
    assert!(!server.writes().iter().any(|write| write.ends_with("/services/shop-api")));
}
