//! The CustomResourceDefinition as YAML, as users apply it. Fields and rules are in the types.

use std::collections::BTreeSet;

use kube::CustomResourceExt as _;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use serde_saphyr::ser_options;

use crate::{ConditionType, Reason, TodoStack, TodoStackSpec, TodoStackStatus};

/// The YAML of the CRD.
///
/// # Errors
/// A schema cannot be written as YAML.
pub fn crd() -> Result<String, serde_saphyr::ser::Error> {
    let mut crd = serde_json::json!(TodoStack::crd());
    KubernetesDescriptions::new().drop_from(&mut crd);
    join_lines(&mut crd);
    set_default_status(&mut crd);
    // A text on several lines repeats the indentation, which is up to 40 characters deep.
    let options = ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&crd, options)
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

/// The descriptions that Kubernetes has for its own types, such as tolerations. A field that has such a type
/// is described in the types here; what is below it is described by `kubectl explain pod.spec`, in texts that
/// would fill most of the bytes that the YAML may have.
#[derive(Default)]
struct KubernetesDescriptions(BTreeSet<String>);

impl KubernetesDescriptions {
    fn new() -> Self {
        // Not inlined, each type has a definition with its name.
        let mut generator = SchemaSettings::openapi3().into_generator();
        generator.subschema_for::<TodoStackSpec>();
        generator.subschema_for::<TodoStackStatus>();
        let definitions = generator.take_definitions(false);
        let mut descriptions = Self::default();
        for (_, schema) in definitions.iter().filter(|(name, _)| name.starts_with("io.k8s.")) {
            descriptions.collect(schema);
        }
        descriptions
    }

    fn collect(&mut self, schema: &Value) {
        match schema {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if name == "description" => drop(self.0.insert(text.clone())),
                        value => self.collect(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    fn drop_from(&self, schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                fields.retain(|name, value| {
                    let text = value.as_str().filter(|_| name == "description");
                    text.is_none_or(|text| !self.0.contains(text))
                });
                fields.values_mut().for_each(|value| self.drop_from(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.drop_from(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_kubernetes_lose_their_descriptions() {
        let crd = crd().unwrap();
        let with_all = serde_json::json!(TodoStack::crd()).to_string();
        for dropped in ["fixed-point representation", "tolerates any taint", "the last time the condition"] {
            assert!(with_all.contains(dropped), "{dropped}");
            assert!(!crd.contains(dropped), "{dropped}");
        }
        for kept in ["Tolerations of the pods", "One entry for each condition type"] {
            assert!(crd.contains(kept), "{kept}");
        }
    }
}
