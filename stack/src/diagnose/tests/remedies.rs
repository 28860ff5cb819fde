//! Every field of the spec that a message names exists: a user who follows the remedy is not rejected with
//! `unknown field`. That a remedy heals is tested on the cluster (`e2e/tests/it/*_failures.rs`).

use std::{fs, path::Path};

use serde_json::Value;
use todostack_crds::yaml;

use crate::part::Part;

// Folders of the sources whose texts reach users.
const SOURCES: [&str; 3] = ["src/diagnose", "src/resolve", "src/conditions"];
// How messages name the field of a part's pods: see `Part::spec_field`.
const PLACEHOLDERS: [&str; 2] = ["{field}.", "{}."];

fn spec_schema() -> Value {
    let crd: Value = serde_saphyr::from_str(&yaml::crd().unwrap()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

// Whether `path`, such as `spec.api.image`, is a field of the schema.
fn exists(path: &str, spec: &Value) -> bool {
    let mut schema = spec;
    for name in path.split('.').skip(1) {
        let properties = &schema["properties"];
        schema = if properties[name].is_object() {
            &properties[name]
        } else if schema["additionalProperties"].is_object() {
            &schema["additionalProperties"]
        } else {
            return false;
        };
    }
    true
}

fn field_at(text: &str) -> &str {
    let end = text.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

// The paths in a text that begin with `spec.` and belong to no other object, as in `pod.spec.`.
fn paths(text: &str) -> Vec<String> {
    let starts = text.match_indices("spec.").filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|sign| !sign.is_ascii_alphanumeric() && sign != '.')
    });
    starts.map(|(at, _)| field_at(&text[at..]).to_owned()).collect()
}

// As [`paths`], with a placeholder at the beginning in place of the field of each part.
fn placeholder_paths(text: &str) -> Vec<String> {
    let fields = [Part::Database, Part::Migrations, Part::Api].map(Part::spec_field);
    let mut found = Vec::new();
    for placeholder in PLACEHOLDERS {
        for (at, _) in text.match_indices(placeholder) {
            let rest = field_at(&text[at + placeholder.len()..]);
            if rest.starts_with(|sign: char| sign.is_ascii_lowercase()) && !text[..at].ends_with('/') {
                found.extend(fields.iter().map(|field| format!("{field}.{rest}")));
            }
        }
    }
    found
}

// The string literals of the sources in a folder, without those of tests.
fn literals(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("captured") {
            found.extend(literals(&path));
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            // Odd pieces between quotes are literals: no message contains a quoted quote beside a field.
            found.extend(lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned)));
        }
    }
    found
}

fn missing_fields(texts: impl Iterator<Item = String>) -> (usize, Vec<String>) {
    let spec = spec_schema();
    let mut named = Vec::new();
    for text in texts {
        named.extend(paths(&text));
        named.extend(placeholder_paths(&text));
    }
    let count = named.len();
    named.retain(|path| !exists(path, &spec));
    (count, named)
}

#[test]
fn every_field_that_a_source_of_messages_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = SOURCES.iter().flat_map(|folder| literals(&root.join(folder)));
    let (count, missing) = missing_fields(texts);
    assert_eq!(missing, Vec::<String>::new());
    assert!(count > 20, "only {count} fields were found in the sources");
}

#[test]
fn every_field_that_a_captured_diagnosis_names_exists() {
    let (count, missing) = missing_fields(super::captured::messages().into_iter());
    assert_eq!(missing, Vec::<String>::new());
    assert!(count > 20, "only {count} fields were found in the messages");
}

// Commands on cluster-scoped objects.
const CLUSTER_SCOPED: &[&str] = &[
    "get nodes",
    "taint nodes",
    "get namespace",
    "describe namespace",
    "annotate --overwrite storageclass",
    "describe storageclass",
    "get validatingwebhookconfigurations,mutatingwebhookconfigurations",
    "patch persistentvolume ",
    "delete persistentvolume ",
];

// The commands of texts that are on an object of a namespace and do not name it.
fn without_namespace(texts: impl Iterator<Item = String>) -> (usize, Vec<String>) {
    let (mut count, mut found) = (0, Vec::new());
    for text in texts {
        for command in text.split("kubectl ").skip(1) {
            let is_cluster_scoped = CLUSTER_SCOPED.iter().any(|scoped| command.starts_with(scoped));
            count += 1;
            // `{scope}` is `-n NAMESPACE`, or empty for a cluster-scoped object.
            let is_scoped = command.starts_with("-n ") || command.starts_with("{scope}");
            if !is_cluster_scoped && !is_scoped {
                found.push(command.to_owned());
            }
        }
    }
    (count, found)
}

#[test]
fn every_command_in_a_captured_diagnosis_names_its_namespace() {
    let (count, without) = without_namespace(super::captured::messages().into_iter());
    assert_eq!(without, Vec::<String>::new());
    assert!(count > 10, "only {count} commands were found in the messages");
}

#[test]
fn every_command_in_a_source_of_messages_names_its_namespace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = SOURCES.iter().flat_map(|folder| literals(&root.join(folder)));
    let (count, without) = without_namespace(texts);
    assert_eq!(without, Vec::<String>::new());
    assert!(count > 10, "only {count} commands were found in the sources");
}

#[test]
fn the_readme_shows_a_message_as_it_is_reported() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let shown = readme.lines().find(|line| line.starts_with("The volume")).unwrap();
    assert!(super::captured::messages().contains(&shown.to_owned()), "{shown}");
}

#[test]
fn a_field_that_does_not_exist_is_noticed() {
    let texts = ["Set spec.api.tolerance: x", "pod.spec.nothing", "Set {field}.imagePullPolicy"];
    let (_, missing) = missing_fields(texts.into_iter().map(str::to_owned));
    assert_eq!(missing, ["spec.api.tolerance", "spec.database.postgres.imagePullPolicy"]);
}
