//! The end state of a cluster without what differs from run to run: random values, times, versions.

use serde_json::{Value, json};

use super::store::{Store, secret_text};

const MASK: &str = "…";
// Keys of Secrets that contain something random.
const RANDOM: [&str; 6] = ["password", "uri", "jdbc-uri", "pgpass", "seal", "revision"];

// One line for each object, without Events and pods.
pub(crate) fn masked(store: &Store) -> Vec<String> {
    let secrets = store.list("secrets").map(|secret| secret_text(secret, "revision"));
    let revisions: Vec<_> = secrets.filter(|revision| !revision.is_empty()).collect();
    let mut lines: Vec<_> = store
        .all()
        .filter(|(resource, _)| !matches!(*resource, "events" | "pods"))
        .map(|(resource, object)| {
            let mut text = format!("{resource} {}", mask_object(resource, object));
            for revision in &revisions {
                text = text.replace(revision, MASK);
            }
            mask_after(&mask_after(&text, "uid-", 6), "shop-migrate-", 8)
        })
        .collect();
    lines.sort();
    lines
}

fn mask_object(resource: &str, object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"] {
        metadata.remove(field);
    }
    for annotation in ["applied", "template"] {
        let annotation = format!("/metadata/annotations/todostack.dev~1{annotation}");
        if let Some(hash) = object.pointer_mut(&annotation) {
            *hash = json!(MASK);
        }
    }
    match resource {
        "todostacks" => {
            let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
            for condition in conditions.into_iter().flatten() {
                condition["lastTransitionTime"] = json!(MASK);
            }
        }
        "secrets" => {
            let keys: Vec<_> = object["data"].as_object().into_iter().flat_map(|data| data.keys()).collect();
            let text =
                |key: &str| if RANDOM.contains(&key) { MASK.to_owned() } else { secret_text(&object, key) };
            let data: Value = keys.into_iter().map(|key| (key.clone(), text(key))).collect();
            object["data"] = data;
        }
        _ => {
            if let Some(status) = object["status"].as_object_mut() {
                status.remove("observedGeneration");
                status.remove("updateRevision");
                status.remove("currentRevision");
            }
        }
    }
    object
}

// Replaces this many characters after each `prefix`.
fn mask_after(text: &str, prefix: &str, length: usize) -> String {
    let mut parts = text.split(prefix);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |masked, part| {
        format!("{masked}{prefix}{MASK}{}", part.get(length..).unwrap_or_default())
    })
}
