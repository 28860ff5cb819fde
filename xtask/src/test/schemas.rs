//! JSON schemas of all kinds: those of Kubernetes from its OpenAPI document, that of TodoStack from the CRD.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;
use serde_json::{Value, json};
use todostack_testbed::process;

use crate::repository;

/// Writes a schema for each kind, with the name that kubeconform expects; returns their folder.
pub(super) fn folder() -> anyhow::Result<PathBuf> {
    let folder = repository::target().join("schemas");
    fs::create_dir_all(&folder)?;
    write_kubernetes(&folder)?;
    write_todostack(&folder)?;
    Ok(folder)
}

fn write_kubernetes(folder: &Path) -> anyhow::Result<()> {
    let mut go = Command::new("go");
    go.current_dir(repository::root().join("testbed"));
    let module = process::output(go.args(["mod", "download", "-json", "k8s.io/kubernetes"]))?;
    let module: Value = serde_json::from_str(&module)?;
    let module = module.get("Dir").and_then(Value::as_str);
    let module = module.context("go mod download printed no folder for k8s.io/kubernetes")?;
    let document = fs::read_to_string(Path::new(module).join("api/openapi-spec/swagger.json"))?;
    let mut document: Value = serde_json::from_str(&document)?;
    let definitions = document.get_mut("definitions").and_then(Value::as_object_mut);
    let definitions = definitions.context("the OpenAPI document of Kubernetes has no definitions")?;
    for (name, definition) in &mut *definitions {
        for file in kinds(definition) {
            let schema = json!({"$ref": format!("definitions.json#/definitions/{name}")});
            fs::write(folder.join(file), schema.to_string())?;
        }
        tighten(definition);
    }
    Ok(fs::write(folder.join("definitions.json"), json!({"definitions": definitions}).to_string())?)
}

fn write_todostack(folder: &Path) -> anyhow::Result<()> {
    let definition = fs::read_to_string(repository::root().join("crds/todostacks.yaml"))?;
    let mut definition: Value = serde_saphyr::from_str(&definition)?;
    let schema = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema");
    let schema = schema.context("the CRD has no schema")?;
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        // The API server adds these fields to every kind.
        for (name, kind) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
            properties.insert(name.to_owned(), json!({"type": kind}));
        }
    }
    tighten(schema);
    Ok(fs::write(folder.join(file_name("todostack.dev", "v1alpha1", "TodoStack")), schema.to_string())?)
}

fn kinds(definition: &Value) -> Vec<String> {
    let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    let file = |kind: &Value| {
        let text = |field: &str| kind.get(field).and_then(Value::as_str).unwrap_or_default();
        file_name(text("group"), text("version"), text("kind"))
    };
    kinds.into_iter().flatten().map(file).collect()
}

/// The file name that kubeconform expects for a kind, with the group up to its first dot.
fn file_name(group: &str, version: &str, kind: &str) -> String {
    let group = match group.split('.').next() {
        None | Some("") => String::new(),
        Some(group) => format!("-{group}"),
    };
    format!("{kind}{group}-{version}.json").to_lowercase()
}

/// Rejects unknown fields, and accepts the numbers that the API server accepts where the schema says string.
fn tighten(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    let is_int_or_string = object.get("format").is_some_and(|format| format == "int-or-string")
        || object.contains_key("x-kubernetes-int-or-string");
    // The schema of a Quantity is a string, but without a unit it may be a number.
    let description = object.get("description").and_then(Value::as_str).unwrap_or_default();
    if is_int_or_string || description.starts_with("Quantity is a fixed-point representation") {
        *schema = json!({"type": ["string", "number"]});
        return;
    }
    let free = ["additionalProperties", "x-kubernetes-preserve-unknown-fields"];
    if object.contains_key("properties") && !free.iter().any(|keyword| object.contains_key(*keyword)) {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(keyword) {
            tighten(inner);
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(tighten);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_file_names_that_kubeconform_expects() {
        assert_eq!(file_name("", "v1", "ConfigMap"), "configmap-v1.json");
        assert_eq!(file_name("rbac.authorization.k8s.io", "v1", "ClusterRole"), "clusterrole-rbac-v1.json");
    }

    #[test]
    fn unknown_fields_are_rejected_unless_any_are_allowed() {
        let mut schema = json!({"properties": {"labels": {"additionalProperties": {"type": "string"}}}});
        tighten(&mut schema);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["labels"]["additionalProperties"]["type"], "string");
    }

    #[test]
    fn a_field_with_the_name_of_a_keyword_is_a_field() {
        let mut schema =
            json!({"properties": {"properties": {"type": "object"}, "items": {"properties": {}}}});
        tighten(&mut schema);
        assert_eq!(schema["properties"]["items"]["additionalProperties"], false);
        assert!(schema["properties"].get("additionalProperties").is_none());
    }
}
