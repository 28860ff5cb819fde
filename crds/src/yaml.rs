//! The CustomResourceDefinition as YAML, as users apply it. Fields and rules are in the types.

use kube::CustomResourceExt as _;
use serde_json::Value;

use crate::TodoStack;

/// The YAML of the CRD.
///
/// # Errors
/// A schema cannot be written as YAML.
pub fn crd() -> Result<String, serde_saphyr::ser::Error> {
    let mut crd = serde_json::json!(TodoStack::crd());
    join_lines(&mut crd);
    drop_kubernetes_descriptions(&mut crd, false);
    serde_saphyr::to_string(&crd)
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
