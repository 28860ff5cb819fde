//! Whether an apply would change an object, by its metadata alone: the stamp has the hash of the last apply,
//! and `managedFields` shows whether another manager has taken or removed a field since.

use kube::api::ObjectMeta;
use serde_json::{Map, Value};
use todostack_crds::FIELD_MANAGER;

use todostack_stack::{hash, labels::APPLIED};

/// Adds the stamp: a hash of the desired object. Users who may not read a Secret may read its annotations, so
/// of a Secret's data only the keys count.
pub(super) fn stamp(mut object: Value) -> Value {
    let mut public = object.clone();
    if let Some(data) = public.get_mut("data").and_then(Value::as_object_mut) {
        data.values_mut().for_each(|value| *value = Value::Null);
    }
    let fingerprint = hash::short(&[&public.to_string()]);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(APPLIED.to_owned(), Value::String(fingerprint));
        }
    }
    object
}

/// Whether the last apply was of the same desired object.
pub(super) fn has_same_stamp(desired: &Value, found: &ObjectMeta) -> bool {
    let stamp = desired.pointer("/metadata/annotations").and_then(|annotations| annotations.get(APPLIED));
    stamp.and_then(Value::as_str)
        == found.annotations.as_ref().and_then(|a| a.get(APPLIED)).map(String::as_str)
}

/// Whether applying `desired` would change nothing. `found` is not being deleted.
pub(super) fn is_current(desired: &Value, found: &ObjectMeta) -> bool {
    has_same_stamp(desired, found)
        && operators_fields(found).is_some_and(|fields| owns(desired, fields, true))
}

fn operators_fields(found: &ObjectMeta) -> Option<&Value> {
    let entry = found.managed_fields.iter().flatten().find(|entry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.subresource.is_none()
    })?;
    entry.fields_v1.as_ref().map(|fields| &fields.0)
}

/// Whether every field of `desired` is in the set of fields that the operator owns. The set shows whether a
/// list is keyed (`k:`), a set (`v:`) or atomic (no entry below it), so no schema is needed.
fn owns(desired: &Value, fields: &Value, root: bool) -> bool {
    let Some(fields) = fields.as_object() else { return false };
    match desired {
        Value::Object(object) => object.iter().all(|(name, value)| {
            // The identity of an object is never owned.
            if root && matches!(name.as_str(), "apiVersion" | "kind") {
                return true;
            }
            if root && name == "metadata" {
                return owns_metadata(value, fields.get("f:metadata"));
            }
            is_absent(value) || fields.get(&format!("f:{name}")).is_some_and(|below| owns_below(value, below))
        }),
        Value::Array(items) => items.iter().all(|item| owns_item(item, fields)),
        _ => true,
    }
}

fn owns_metadata(metadata: &Value, fields: Option<&Value>) -> bool {
    let Some(metadata) = metadata.as_object() else { return true };
    let rest: Map<String, Value> = metadata
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "name" | "namespace" | "uid"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    rest.is_empty() || fields.is_some_and(|fields| owns(&Value::Object(rest), fields, false))
}

/// An entry with nothing below it owns the whole value.
fn owns_below(value: &Value, fields: &Value) -> bool {
    let whole = fields.as_object().is_none_or(Map::is_empty);
    whole || owns(value, fields, false)
}

fn owns_item(item: &Value, fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(key, below)| {
        if let Some(value) = key.strip_prefix("v:") {
            return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
        }
        let Some(keys) = key.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Map<_, _>>(keys).ok())
        else {
            return false;
        };
        keys.iter().all(|(name, value)| item.get(name).is_none_or(|found| found == value))
            && owns_below(item, below)
    })
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
            "metadata": {"name": "shop-api", "labels": {"a": "b"}, "ownerReferences": [{"uid": "1", "name": "shop"}]},
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

    fn stamp_of(object: Value) -> Value {
        stamp(object)["metadata"]["annotations"][APPLIED].clone()
    }

    #[test]
    fn no_stamp_changes_with_a_password() {
        let secret =
            |password: &str| json!({"kind": "Secret", "metadata": {}, "data": {"password": password}});
        assert_eq!(stamp_of(secret("b25l")), stamp_of(secret("dHdv")));
        let other_key = json!({"kind": "Secret", "metadata": {}, "data": {"uri": "b25l"}});
        assert_ne!(stamp_of(secret("b25l")), stamp_of(other_key));
    }

    fn found(fields: Value) -> ObjectMeta {
        let annotations = service()["metadata"]["annotations"].clone();
        ObjectMeta {
            annotations: serde_json::from_value(annotations).unwrap(),
            managed_fields: Some(vec![ManagedFieldsEntry {
                manager: Some(FIELD_MANAGER.into()),
                operation: Some("Apply".into()),
                fields_v1: Some(FieldsV1(fields)),
                ..ManagedFieldsEntry::default()
            }]),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn an_applied_and_unchanged_object_is_current() {
        assert!(is_current(&service(), &found(owned())));
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
