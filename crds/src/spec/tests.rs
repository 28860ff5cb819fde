//! The CRD as a whole: its YAML is checked in, small, and documented to the last field.

use crate::TodoStack;
use kube::CustomResourceExt;
use serde_json::Value;

/// `kubectl apply` keeps the object in an annotation of at most 262,144 bytes; ours is a quarter of that.
const LARGEST: usize = 64 * 1024;

#[test]
fn the_yaml_in_the_repository_is_the_one_the_types_give() {
    let printed = serde_saphyr::to_string(&TodoStack::crd()).unwrap();
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/todostacks.yaml")).unwrap();
    assert_eq!(printed, kept, "run `cargo xtask gen`");
}

#[test]
fn the_crd_is_at_most_64_kib() {
    let printed = serde_saphyr::to_string(&TodoStack::crd()).unwrap();
    assert!(printed.len() <= LARGEST, "{} bytes", printed.len());
}

fn undocumented(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if field["description"].as_str().is_none_or(str::is_empty) && name != "metadata" {
            found.push(path.clone());
        }
        undocumented(&path, field, found);
    }
    if schema["items"].is_object() {
        undocumented(&format!("{path}[]"), &schema["items"], found);
    }
}

#[test]
fn every_field_has_words_for_kubectl_explain() {
    let crd = serde_json::to_value(TodoStack::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let mut found = Vec::new();
    undocumented("spec", &schema["spec"], &mut found);
    undocumented("status", &schema["status"], &mut found);
    assert_eq!(found, Vec::<String>::new());
}
