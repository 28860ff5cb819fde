//! The CustomResourceDefinition as YAML, as users apply it. Fields and rules are in the types.

use kube::CustomResourceExt as _;
use serde_json::{Value, json};

use crate::{ConditionType, Reason, TodoStack};

/// The YAML of the CRD.
///
/// # Errors
/// A schema cannot be written as YAML.
pub fn crd() -> Result<String, serde_saphyr::ser::Error> {
    let mut crd = serde_json::json!(TodoStack::crd());
    join_lines(&mut crd);
    drop_kubernetes_descriptions(&mut crd, false);
    set_default_status(&mut crd);
    serde_saphyr::to_string(&crd)
}

/// Sets the status of a stack that the operator has not reported on. Until then, it is not ready for kstatus,
/// and so for Flux and `helm install --wait`: `observedGeneration` is not that of the spec.
fn set_default_status(crd: &mut Value) {
    let status = json!({
        "observedGeneration": -1,
        "conditions": [{
            "type": ConditionType::Ready.as_str(),
            "status": "Unknown",
            "reason": Reason::NotObserved.as_str(),
            "message": "The operator has not reported on this stack yet. If this lasts for more than a minute, check that its pod runs: kubectl get pods -A -l app.kubernetes.io/name=todostack-operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    });
    let versions = crd.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        let schema = version.pointer_mut("/schema/openAPIV3Schema/properties/status");
        if let Some(schema) = schema.and_then(Value::as_object_mut) {
            schema.insert("default".to_owned(), status.clone());
        }
    }
}

/// Joins the lines of each paragraph of the descriptions: `kubectl explain` wraps them itself, and keeps the
/// line breaks that a doc comment has.
fn join_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        let paragraphs: Vec<_> = text.split("\n\n").map(|it| it.replace('\n', " ")).collect();
                        *text = paragraphs.join("\n\n");
                    }
                    value => join_lines(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

/// Fields whose schema is that of a type of Kubernetes. The field itself is described in the types here; what
/// is below it is described by `kubectl explain pod.spec`, in texts that would fill most of the 65,536 bytes
/// that the YAML may have.
const KUBERNETES_TYPES: [&str; 2] = ["resources", "tolerations"];

/// Drops the descriptions below fields of Kubernetes's types.
fn drop_kubernetes_descriptions(schema: &mut Value, is_below: bool) {
    match schema {
        Value::Object(fields) => {
            if is_below {
                fields.retain(|name, value| name != "description" || !value.is_string());
            }
            for (name, value) in fields {
                let is_kubernetes = KUBERNETES_TYPES.contains(&name.as_str());
                match value {
                    Value::Object(field) if is_kubernetes && !is_below => {
                        for inner in field.values_mut() {
                            drop_kubernetes_descriptions(inner, true);
                        }
                    }
                    value => drop_kubernetes_descriptions(value, is_below),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                drop_kubernetes_descriptions(item, is_below);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fields_of_kubernetes_lose_their_descriptions() {
        let crd = crd().unwrap();
        assert!(!crd.contains("fixed-point representation"), "{crd}");
        assert!(crd.contains("Tolerations of the pods"), "{crd}");
    }
}
