//! The CRD as a whole: its YAML is up to date and small, and every field has a description.

use crate::TodoStack;
use kube::CustomResourceExt;
use serde_json::Value;

// `kubectl apply` stores the whole object in an annotation, and Kubernetes rejects annotations of more than
// 262,144 bytes in total. Less than a quarter of that leaves room for more fields.
const MAX_BYTES: usize = 60 * 1024;

#[test]
fn the_yaml_in_the_repository_is_generated_from_the_types() {
    let printed = crate::yaml::crd().unwrap();
    let checked_in =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/todostacks.yaml")).unwrap();
    assert_eq!(printed, checked_in, "run `cargo xtask gen`");
}

#[test]
fn the_crd_is_at_most_60_kib() {
    let printed = crate::yaml::crd().unwrap();
    assert!(printed.len() <= MAX_BYTES, "{} bytes", printed.len());
}

// Collects the paths of the fields that have no description.
fn collect_undocumented(path: &str, schema: &Value, undocumented: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if field["description"].as_str().is_none_or(str::is_empty) && name != "metadata" {
            undocumented.push(path.clone());
        }
        collect_undocumented(&path, field, undocumented);
    }
    if schema["items"].is_object() {
        collect_undocumented(&format!("{path}[]"), &schema["items"], undocumented);
    }
}

#[test]
fn kubectl_explain_has_a_description_of_every_field() {
    let crd = serde_json::to_value(TodoStack::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let mut undocumented = Vec::new();
    collect_undocumented("spec", &schema["spec"], &mut undocumented);
    collect_undocumented("status", &schema["status"], &mut undocumented);
    assert_eq!(undocumented, Vec::<String>::new());
}
