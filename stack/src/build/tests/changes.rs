//! No change of a spec that the rules of the CRD accept changes an immutable field of a managed object: the
//! API server would reject the object forever. Of all pairs of the specs below.

use std::sync::Arc;

use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::CustomResourceExt as _;
use kube_cel::{compile_schema, validate_compiled};
use serde_json::{Value, json};
use todostack_crds::{Reason, TodoStack};

use super::*;
use crate::{
    finding::Finding,
    fixtures::{listing, todostack},
    quantity,
    stack_ref::StackRef,
    storage_class::DEFAULT,
};

// Blocks of storage: absent, empty, and each value beside its neighbours in another spelling or another
// value.
const STORAGES: [&str; 8] = [
    "{size: 1Gi}",
    "{size: 1024Mi}",
    "{size: 2Gi}",
    "{storageClassName: fast}",
    "{size: 2Gi, storageClassName: fast}",
    "{nfs: {server: nas, path: /e}}",
    "{size: 2Gi, nfs: {server: nas, path: /e, mountOptions: [hard]}}",
    "{nfs: {server: nas, path: /f}}",
];
const VERSIONS: [&str; 2] = ["", "version: '17'"];
// What is beside the database, where a Service or a Deployment could have an immutable field.
const OTHERS: [&str; 3] = [
    "",
    "api: {replicas: 1, podMetadata: {labels: {team: shop}}}, exposure: {host: h, service: {type: NodePort}}",
    "deletionPolicy: Delete, exposure: {service: {type: LoadBalancer}}",
];

fn databases() -> Vec<String> {
    let mut databases = vec![String::new(), "database: {}".into()];
    databases.push("database: {external: {secret: {name: pg}}}".into());
    for version in VERSIONS {
        databases.push(format!("database: {{postgres: {{{version}}}}}"));
        for storage in STORAGES {
            databases.push(format!("database: {{postgres: {{storage: {storage}, {version}}}}}"));
        }
    }
    databases.push("database: {sqlite: {}}".into());
    for storage in STORAGES.iter().filter(|storage| !storage.contains("nfs")) {
        databases.push(format!("database: {{sqlite: {{storage: {storage}}}}}"));
    }
    databases
}

fn classes() -> Vec<Arc<StorageClass>> {
    let class = |name: &str, is_default: bool, can_grow: bool| {
        let annotations = json!({DEFAULT: is_default.to_string()});
        let value = json!({"metadata": {"name": name, "annotations": annotations}, "provisioner": "p",
            "allowVolumeExpansion": can_grow});
        Arc::new(serde_json::from_value(value).unwrap())
    };
    vec![class("standard", true, false), class("fast", false, true)]
}

// How far a claim has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Pending,
    // Bound, with an initialized database.
    Bound,
}

impl Stage {
    const ALL: [Self; 2] = [Self::Pending, Self::Bound];

    fn status(self, claim: Option<&PersistentVolumeClaim>) -> Value {
        let size = claim.map(size).filter(|_| self != Self::Pending);
        let identifier = (self == Self::Bound).then_some("7");
        json!({"storage": {"claim": "c", "size": size}, "database": {"version": "x", "systemIdentifier": identifier}})
    }
}

fn size(claim: &PersistentVolumeClaim) -> String {
    let requests = claim.spec.as_ref().unwrap().resources.as_ref().unwrap().requests.as_ref().unwrap();
    requests["storage"].0.clone()
}

// What is observed of a stack that was applied by this spec.
fn observed(spec: &str, stage: Stage) -> Observed {
    let before = Observed { storage_classes: classes(), ..Observed::default() };
    let stack = todostack(spec);
    let mut listing = listing(&resolved_from(spec, &before));
    for claim in listing.managed.claims.iter_mut().filter(|_| stage != Stage::Pending) {
        let claim = Arc::make_mut(claim);
        let status = json!({"phase": "Bound", "capacity": {"storage": size(claim)}});
        claim.status = Some(serde_json::from_value(status).unwrap());
    }
    listing.storage_classes = classes();
    Observed::new(&StackRef::try_from(&stack).unwrap(), &Requirements::from(&stack.spec), &listing)
}

fn as_value(spec: &str, status: &Value) -> Value {
    let spec: Value = serde_saphyr::from_str(spec).unwrap();
    json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "metadata": {"name": "shop"},
        "spec": spec, "status": without_nulls(status)})
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

// The fields of an object that the API server does not let change (ValidateXUpdate in k8s.io/kubernetes).
fn immutable(object: &Value) -> Value {
    let spec = &object["spec"];
    let without = |names: &[&str]| {
        let mut rest = spec.clone();
        for name in names {
            rest.as_object_mut().unwrap().remove(*name);
        }
        rest
    };
    match object["kind"].as_str().unwrap() {
        "PersistentVolumeClaim" => without(&["resources"]),
        "PersistentVolume" => without(&["capacity", "mountOptions", "persistentVolumeReclaimPolicy"]),
        "StatefulSet" => without(&["replicas", "template", "updateStrategy", "minReadySeconds"]),
        "Deployment" => spec["selector"].clone(),
        "Service" => spec["clusterIP"].clone(),
        "Secret" => json!([object["type"], object["immutable"]]),
        _ => Value::Null,
    }
}

// The API server accepts another request only of a bound claim of a class that can grow, and only a larger
// one.
fn is_accepted_request(old: &Value, new: &Value, stage: Stage) -> bool {
    let request = |object: &Value| {
        quantity::parse(object["spec"]["resources"]["requests"]["storage"].as_str().unwrap()).unwrap()
    };
    let can_grow = stage != Stage::Pending && old["spec"]["storageClassName"] == "fast";
    request(new) == request(old) || (can_grow && request(new) > request(old))
}

fn check(old: &Value, new: &Value, stage: Stage, change: &str) {
    assert_eq!(immutable(old), immutable(new), "{change}");
    if old["kind"] == "PersistentVolumeClaim" {
        assert!(is_accepted_request(old, new, stage), "{change}: {old} {new}");
    }
}

// A database and one of `OTHERS`, as the YAML of a spec.
fn spec(database: &str, number: usize) -> String {
    let parts: Vec<_> =
        [database, OTHERS[number % OTHERS.len()]].into_iter().filter(|it| !it.is_empty()).collect();
    format!("{{{}}}", parts.join(", "))
}

#[test]
fn no_accepted_change_of_a_spec_changes_an_immutable_field_of_a_managed_object() {
    let schema = serde_json::to_value(TodoStack::crd()).unwrap();
    let schema = compile_schema(&schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
    let databases = databases();
    let mut accepted = 0;
    for (stage, (number, before)) in
        Stage::ALL.into_iter().flat_map(|stage| databases.iter().enumerate().map(move |it| (stage, it)))
    {
        let before = spec(before, number);
        let observed = observed(&before, stage);
        let status = stage.status(observed.claim.as_deref());
        let existing = objects(&resolved_from(&before, &observed));
        for (number, after) in databases.iter().enumerate() {
            let after = spec(after, number);
            let (old, new) = (as_value(&before, &status), as_value(&after, &status));
            if validate_compiled(&schema, &new, Some(&old)).is_err() {
                continue;
            }
            accepted += 1;
            let change = format!("{stage:?}: {before} -> {after}");
            let stack = resolved_from(&after, &observed);
            let is_mismatch = |finding: &Finding| finding.reason == Reason::VolumeMismatch;
            assert!(!stack.findings.iter().any(is_mismatch), "{change}: {:?}", stack.findings);
            for new in objects(&stack) {
                let is_same = |old: &&Value| {
                    old["kind"] == new["kind"] && old["metadata"]["name"] == new["metadata"]["name"]
                };
                if let Some(old) = existing.iter().find(is_same) {
                    check(old, &new, stage, &change);
                }
            }
        }
    }
    // The rules accept what keeps the data, such as another spelling, a larger size, or what is beside it.
    assert!(accepted > 100, "only {accepted} changes were accepted");
}
