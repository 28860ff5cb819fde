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
