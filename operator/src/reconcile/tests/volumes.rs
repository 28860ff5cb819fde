//! The PersistentVolume under the data: its reclaim policy, and its next claim.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::{fixtures, managed::PersistentVolumeClaim, observed::Listing};

use super::api_server::{Answer, ApiServer, Received, failure};

const VOLUME: &str = "/api/v1/persistentvolumes/pv";
const CLAIM: &str = "/api/v1/namespaces/shops/persistentvolumeclaims/shop-db";

// The PersistentVolume of a StorageClass, as it is read.
fn volume(policy: &str, phase: &str, annotations: &Value) -> (u16, Value) {
    let claim = json!({"namespace": "shops", "name": "shop-db", "uid": "claim"});
    let volume = json!({
        "kind": "PersistentVolume", "apiVersion": "v1",
        "metadata": {"name": "pv", "resourceVersion": "7", "annotations": annotations},
        "spec": {"persistentVolumeReclaimPolicy": policy, "storageClassName": "standard", "claimRef": claim},
        "status": {"phase": phase},
    });
    (200, volume)
}

fn reading(answer: (u16, Value), patched: Option<(u16, Value)>) -> Answer {
    Arc::new(move |request: &Received| match request.method {
        _ if request.path != VOLUME => None,
        Method::GET => Some(answer.clone()),
        _ => patched.clone(),
    })
}

// The objects of a stack whose claim is bound to the volume.
fn bound(stack: &TodoStack) -> Listing {
    let spec = serde_json::to_string(&stack.spec).unwrap();
    let mut listing = fixtures::listing(&fixtures::resolved(&spec));
    let claim: &mut PersistentVolumeClaim = Arc::make_mut(&mut listing.managed.claims[0]);
    claim.metadata.uid = Some("claim".into());
    let spec = claim.spec.as_mut().unwrap();
    (spec.volume_name, spec.storage_class_name) = (Some("pv".into()), Some("standard".into()));
    claim.status = Some(serde_json::from_value(json!({"phase": "Bound"})).unwrap());
    listing
}

fn patches(server: &ApiServer) -> Vec<Value> {
    let received = server.received.lock().unwrap();
    let those = received.iter().filter(|it| it.path == VOLUME && it.method == Method::PATCH);
    those.map(|patch| patch.body.clone()).collect()
}

#[tokio::test]
async fn the_volume_of_a_class_is_retained_while_paused_too() {
    for spec in ["{}", "{paused: true}"] {
        let stack = fixtures::todostack(spec);
        let server =
            ApiServer::with(&stack, bound(&stack), reading(volume("Delete", "Bound", &json!({})), None));
        server.reconcile(&stack).await.unwrap();
        let patches = patches(&server);
        assert_eq!(patches.len(), 1, "{spec}");
        assert_eq!(patches[0]["spec"], json!({"persistentVolumeReclaimPolicy": "Retain"}));
        assert_eq!(patches[0]["metadata"]["resourceVersion"], "7");
    }
}

#[tokio::test]
async fn a_volume_that_has_its_policy_is_not_written() {
    let former = json!({"todostack.dev/reclaim-policy": "Delete"});
    for (policy, found) in [("Retain", former), ("Delete", json!({}))] {
        let stack = fixtures::todostack(&format!("{{deletionPolicy: {policy}}}"));
        let server = ApiServer::with(&stack, bound(&stack), reading(volume(policy, "Bound", &found), None));
        server.reconcile(&stack).await.unwrap();
        assert_eq!(patches(&server), Vec::<Value>::new(), "{policy}");
    }
}

#[tokio::test]
async fn a_policy_that_is_rejected_is_a_warning() {
    let stack = fixtures::todostack("{}");
    let denied = Some(failure(403, "Forbidden", "persistentvolumes \"pv\" is forbidden: by a policy"));
    let answer = reading(volume("Delete", "Bound", &json!({})), denied);
    let server = ApiServer::with(&stack, bound(&stack), answer);
    server.reconcile(&stack).await.unwrap();
    let status = server.status();
    let conditions = status["conditions"].as_array().unwrap();
    let storage = conditions.iter().find(|it| it["type"] == "StorageReady").unwrap();
    assert_eq!((&storage["status"], &storage["reason"]), (&json!("True"), &json!("VolumeNotRetained")));
    assert!(storage["message"].as_str().unwrap().contains("by a policy"), "{storage}");
}

#[tokio::test]
async fn the_volume_of_a_deleted_claim_is_released_before_its_new_claim_is_written() {
    let mut stack = fixtures::todostack("{}");
    let storage = json!({"storage": {"claim": "shop-db", "volume": "pv"}});
    stack.status = Some(serde_json::from_value(storage).unwrap());
    let server = ApiServer::answering(&stack, reading(volume("Retain", "Released", &json!({})), None));
    server.reconcile(&stack).await.unwrap();
    let (volume, claim) = (format!("PATCH {VOLUME}"), format!("PATCH {CLAIM}"));
    let writes: Vec<_> = server.writes().into_iter().filter(|it| *it == volume || *it == claim).collect();
    assert_eq!(writes, [volume, claim]);
    assert_eq!(patches(&server)[0]["spec"], json!({"claimRef": {"uid": null, "resourceVersion": null}}));
    let received = server.received.lock().unwrap();
    let claim = received.iter().find(|it| it.path == CLAIM && it.method == Method::PATCH).unwrap();
    assert_eq!(claim.body["spec"]["volumeName"], "pv");
    assert_eq!(claim.body["spec"]["storageClassName"], "standard");
}

// As in a namespace that is being deleted.
#[tokio::test]
async fn the_volume_of_a_deleted_claim_stays_released_where_no_claim_can_be_created() {
    let mut stack = fixtures::todostack("{}");
    let storage = json!({"storage": {"claim": "shop-db", "volume": "pv"}});
    stack.status = Some(serde_json::from_value(storage).unwrap());
    let read = reading(volume("Retain", "Released", &json!({})), None);
    let answer = move |request: &Received| {
        let is_claim = request.path == CLAIM && request.method == Method::PATCH;
        let denied = || failure(403, "Forbidden", "namespace shops is being terminated");
        is_claim.then(denied).or_else(|| read(request))
    };
    let server = ApiServer::answering(&stack, Arc::new(answer));
    server.reconcile(&stack).await.unwrap();
    assert_eq!(patches(&server), Vec::<Value>::new());
}

#[tokio::test]
async fn a_volume_gets_its_policy_back_before_its_claim_is_deleted() {
    let mut stack = fixtures::todostack("{deletionPolicy: Delete}");
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    stack.metadata.finalizers = Some(vec!["todostack.dev/cleanup".into()]);
    let former = json!({"todostack.dev/reclaim-policy": "Delete"});
    let labels = json!({"todostack.dev/stack": "shop", "todostack.dev/namespace": "shops"});
    let claim = json!({
        "kind": "PersistentVolumeClaim", "apiVersion": "v1", "spec": {"volumeName": "pv"},
        "metadata": {"name": "shop-db", "uid": "claim", "labels": labels, "managedFields": [
            {"manager": "todostack-operator", "operation": "Apply"},
        ]},
    });
    let patched =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "pv"}});
    let of_volume = reading(volume("Retain", "Bound", &former), Some((200, patched)));
    let answer: Answer = Arc::new(move |request| {
        let is_claim = request.path == CLAIM && request.method == Method::GET;
        is_claim.then(|| (200, claim.clone())).or_else(|| of_volume(request))
    });
    let server = ApiServer::answering(&stack, answer);
    server.reconcile(&stack).await.unwrap();
    let writes = server.writes();
    assert_eq!(writes[1..3], [format!("PATCH {VOLUME}"), format!("DELETE {CLAIM}")], "{writes:?}");
    assert_eq!(patches(&server)[0]["spec"], json!({"persistentVolumeReclaimPolicy": "Delete"}));
}
