//! Whether an apply would change an object, by its metadata alone: the stamp has the hash of the last apply,
//! and `managedFields` shows whether another manager has taken or removed a field since.

use std::mem;

use kube::api::ObjectMeta;
use serde_json::{Map, Value};
use todostack_crds::FIELD_MANAGER;
use todostack_stack::{hash, labels::APPLIED, observed::origin::controller};

use crate::observe::field_sets::{FieldSets, OWNER};

pub(super) mod taken;

/// Adds the stamp: a hash of the desired object. Users who may not read a Secret may read its annotations, so
/// of a Secret's data only the keys count.
pub(super) fn stamp(mut object: Value) -> Value {
    let data = object.get_mut("data").map(|data| {
        let keys = data.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), Value::Null));
        let keys = Value::Object(keys.collect());
        mem::replace(data, keys)
    });
    let fingerprint = hash::short(&[&object.to_string()]);
    if let (Some(data), Some(kept)) = (data, object.get_mut("data")) {
        *kept = data;
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(APPLIED.to_owned(), Value::String(fingerprint));
        }
    }
    object
}

/// The stamp of a desired object.
pub(super) fn stamp_of(desired: &Value) -> Option<&str> {
    desired.pointer("/metadata/annotations")?.get(APPLIED)?.as_str()
}

/// Whether the last apply was of the same desired object.
pub(super) fn has_same_stamp(desired: &Value, found: &ObjectMeta) -> bool {
    stamp_of(desired) == found.annotations.as_ref().and_then(|a| a.get(APPLIED)).map(String::as_str)
}

/// Whether applying `desired` would change nothing. `found` is not being deleted.
pub(super) fn is_current(desired: &Value, found: &ObjectMeta, sets: &FieldSets) -> bool {
    if !has_same_stamp(desired, found) {
        return false;
    }
    match operators_fields(found) {
        // As the caches keep it.
        Some(Value::String(hash)) => {
            let owner = controller(found).map(|owner| owner.uid.as_str());
            sets.get(hash).is_some_and(|fields| owns_object(desired, &fields, owner))
        }
        // As the API server answers.
        Some(fields) => owns_object(desired, fields, None),
        None => false,
    }
}

fn operators_fields(found: &ObjectMeta) -> Option<&Value> {
    let entry = found.managed_fields.iter().flatten().find(|entry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.subresource.is_none()
    })?;
    entry.fields_v1.as_ref().map(|fields| &fields.0)
}

/// Whether every field of an object is in the set of fields that the operator owns. In a set of the caches,
/// `owner`, the uid of the object's controller, has another name.
fn owns_object(desired: &Value, fields: &Value, owner: Option<&str>) -> bool {
    let Some(desired) = desired.as_object() else { return true };
    desired.iter().all(|(name, value)| match name.as_str() {
        // The identity of an object is never owned.
        "apiVersion" | "kind" => true,
        "metadata" => owns_metadata(value, below(fields, name), owner),
        _ => owns_field(name, value, fields),
    })
}

fn owns_metadata(metadata: &Value, fields: Option<&Value>, owner: Option<&str>) -> bool {
    metadata.as_object().into_iter().flatten().all(|(name, value)| match name.as_str() {
        "name" | "namespace" | "uid" => true,
        "ownerReferences" => fields.is_some_and(|fields| owns_field(name, &with_owner(value, owner), fields)),
        _ => fields.is_some_and(|fields| owns_field(name, value, fields)),
    })
}

/// The references to owners, with the uid of the controller as the sets of the caches have it.
fn with_owner(references: &Value, owner: Option<&str>) -> Value {
    let mut references = references.clone();
    let items = references.as_array_mut().into_iter().flatten();
    for uid in items.filter_map(|reference| reference.get_mut("uid")) {
        if owner.is_some() && uid.as_str() == owner {
            *uid = Value::String(OWNER.to_owned());
        }
    }
    references
}

/// Whether every field of `desired` is in the set. The set shows whether a list is keyed (`k:`), a set (`v:`)
/// or atomic (no entry below it), so no schema is needed.
fn owns(desired: &Value, fields: &Value) -> bool {
    let Some(set) = fields.as_object() else { return false };
    match desired {
        Value::Object(object) => object.iter().all(|(name, value)| owns_field(name, value, fields)),
        Value::Array(items) => items.iter().all(|item| owns_item(item, set)),
        _ => true,
    }
}

fn owns_field(name: &str, value: &Value, fields: &Value) -> bool {
    is_absent(value) || below(fields, name).is_some_and(|below| owns_below(value, below))
}

/// What a set has below a field.
fn below<'a>(fields: &'a Value, name: &str) -> Option<&'a Value> {
    let mut fields = fields.as_object()?.iter();
    fields.find(|(key, _)| key.strip_prefix("f:") == Some(name)).map(|(_, below)| below)
}

/// An entry with nothing below it owns the whole value.
fn owns_below(value: &Value, fields: &Value) -> bool {
    let whole = fields.as_object().is_none_or(Map::is_empty);
    whole || owns(value, fields)
}

fn owns_item(item: &Value, fields: &Map<String, Value>) -> bool {
    fields
        .iter()
        .any(|(key, below)| taken::is_item(item, key) && (key.starts_with("v:") || owns_below(item, below)))
}

/// Whether the API server drops the value.
fn is_absent(value: &Value) -> bool {
    value.is_null()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn service() -> Value {
        stamp(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "shop-api", "labels": {"a": "b"}, "ownerReferences": [{"apiVersion": "v1", "kind": "Any", "uid": "1", "name": "shop"}]},
            "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": "http"}], "selector": {"a": "b"}},
        }))
    }

    // As the API server answers an apply of `service()`.
    fn owned() -> Value {
        json!({
            "f:metadata": {
                "f:annotations": {"f:todostack.dev/applied": {}},
                "f:labels": {"f:a": {}},
                "f:ownerReferences": {"k:{\"uid\":\"1\"}": {}},
            },
            "f:spec": {
                "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}}},
                "f:selector": {},
            },
        })
    }

    fn stamp_in(object: Value) -> Value {
        stamp(object)["metadata"]["annotations"][APPLIED].clone()
    }

    #[test]
    fn no_stamp_changes_with_a_password() {
        let secret =
            |password: &str| json!({"kind": "Secret", "metadata": {}, "data": {"password": password}});
        assert_eq!(stamp_in(secret("b25l")), stamp_in(secret("dHdv")));
        let other_key = json!({"kind": "Secret", "metadata": {}, "data": {"uri": "b25l"}});
        assert_ne!(stamp_in(secret("b25l")), stamp_in(other_key));
    }

    fn found(fields: Value) -> ObjectMeta {
        let metadata = service()["metadata"].clone();
        let mut owners = metadata["ownerReferences"].clone();
        owners[0]["controller"] = json!(true);
        ObjectMeta {
            annotations: serde_json::from_value(metadata["annotations"].clone()).unwrap(),
            owner_references: serde_json::from_value(owners).unwrap(),
            managed_fields: Some(vec![ManagedFieldsEntry {
                manager: Some(FIELD_MANAGER.into()),
                operation: Some("Apply".into()),
                fields_v1: Some(FieldsV1(fields)),
                ..ManagedFieldsEntry::default()
            }]),
            ..ObjectMeta::default()
        }
    }

    // What the API server answers and what the caches keep of it say the same.
    fn is_current(desired: &Value, found: &ObjectMeta) -> bool {
        let (sets, mut kept) = (FieldSets::default(), found.clone());
        sets.intern(&mut kept);
        let is_current = super::is_current(desired, found, &sets);
        assert_eq!(super::is_current(desired, &kept, &sets), is_current);
        is_current
    }

    #[test]
    fn an_applied_and_unchanged_object_is_current() {
        assert!(is_current(&service(), &found(owned())));
    }

    #[test]
    fn an_object_whose_field_set_is_not_known_is_not_current() {
        let mut kept = found(owned());
        FieldSets::default().intern(&mut kept);
        assert!(!super::is_current(&service(), &kept, &FieldSets::default()));
    }

    #[rstest]
    #[case::a_port_was_changed("/f:spec/f:ports", json!({}), true)]
    #[case::a_target_was_taken("/f:spec/f:ports/k:{\"port\":80,\"protocol\":\"TCP\"}", json!({".": {}, "f:port": {}, "f:protocol": {}}), false)]
    #[case::another_port_was_set("/f:spec/f:ports", json!({"k:{\"port\":81,\"protocol\":\"TCP\"}": {}}), false)]
    #[case::a_label_was_taken("/f:metadata/f:labels", json!({"f:other": {}}), false)]
    #[case::the_owner_was_taken("/f:metadata/f:ownerReferences", json!({"k:{\"uid\":\"2\"}": {}}), false)]
    fn a_field_that_another_manager_took_is_detected(
        #[case] path: &str,
        #[case] left: Value,
        #[case] current: bool,
    ) {
        let mut fields = owned();
        *fields.pointer_mut(path).unwrap() = left;
        assert_eq!(is_current(&service(), &found(fields)), current);
    }

    #[test]
    fn an_object_with_another_desired_state_is_not_current() {
        let mut other = service();
        other["spec"]["ports"][0]["port"] = json!(81);
        other["metadata"]["annotations"] = json!({});
        assert!(!is_current(&stamp(other), &found(owned())));
    }

    #[test]
    fn an_object_that_was_never_applied_is_not_current() {
        assert!(!is_current(&service(), &ObjectMeta::default()));
    }
}
