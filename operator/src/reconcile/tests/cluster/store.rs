//! The objects of a cluster in memory, and what an API server does whenever one is stored or deleted: uid,
//! versions, finalizers. How requests change objects is in `requests.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::clock;

// Finalizer of an object that goes after those that it owns.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

// Objects by plural and name. The namespaced ones are all in the namespace `shops`.
#[derive(Clone, Default)]
pub(crate) struct Store {
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    uids: u64,
    // Credentials that a migration has set on the database server, as username and password.
    pub(crate) accepted: Vec<(String, String)>,
    // Pods that never become ready.
    pub(crate) stuck: BTreeSet<String>,
}

impl Store {
    // Increases with every change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn get(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(resource.to_owned(), name.to_owned()))
    }

    pub(crate) fn list<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a Value> {
        let of_resource = self.objects.iter().filter(move |((plural, _), _)| plural == resource);
        of_resource.map(|(_, object)| object)
    }

    pub(crate) fn names(&self, resource: &str) -> Vec<String> {
        let of_resource = self.objects.keys().filter(|(plural, _)| plural == resource);
        of_resource.map(|(_, name)| name.clone()).collect()
    }

    // All objects with their plural.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.objects.iter().map(|((resource, _), object)| (resource.as_str(), object))
    }

    pub(crate) fn has_uid(&self, uid: &Value) -> bool {
        self.objects.values().any(|object| object["metadata"]["uid"] == *uid)
    }

    pub(crate) fn create(&mut self, resource: &str, mut object: Value) {
        self.uids += 1;
        let metadata = &mut object["metadata"];
        let name = metadata["name"].as_str().expect("an object without a name").to_owned();
        metadata["uid"] = json!(format!("uid-{:06}", self.uids));
        metadata["creationTimestamp"] = now();
        metadata["generation"] = json!(1);
        if resource != "persistentvolumes" {
            metadata["namespace"] = json!("shops");
        }
        if let Some(finalizer) = protection(resource) {
            metadata["finalizers"] = json!([finalizer]);
        }
        self.set(resource, &name, object);
    }

    // Changes an object, and removes one that is being deleted and has no finalizer.
    pub(crate) fn update(&mut self, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let Some(found) = self.get(resource, name) else { return };
        let mut object = found.clone();
        change(&mut object);
        if object == *found {
            return;
        }
        if object["spec"] != found["spec"] {
            object["metadata"]["generation"] = json!(found["metadata"]["generation"].as_u64().unwrap() + 1);
        }
        if is_deleted(resource, &object) {
            self.remove(resource, name);
        } else {
            self.set(resource, name, object);
        }
    }

    // As a DELETE request does: the object goes at once, or is marked and waits for its finalizers.
    pub(crate) fn delete(&mut self, resource: &str, name: &str) {
        self.update(resource, name, mark_deleted);
    }

    // The object goes after those that it owns.
    pub(crate) fn delete_in_foreground(&mut self, resource: &str, name: &str) {
        self.update(resource, name, |object| {
            mark_deleted(object);
            object["metadata"]["finalizers"] = json!([FOREGROUND]);
        });
    }

    pub(crate) fn remove(&mut self, resource: &str, name: &str) {
        self.version += 1;
        self.objects.remove(&(resource.to_owned(), name.to_owned()));
    }

    // As it is, of another stack.
    pub(crate) fn insert(&mut self, resource: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        self.set(resource, &name, object);
    }

    fn set(&mut self, resource: &str, name: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert((resource.to_owned(), name.to_owned()), object);
    }
}

fn mark_deleted(object: &mut Value) {
    let metadata = &mut object["metadata"];
    if metadata.get("deletionTimestamp").is_none() {
        metadata["deletionTimestamp"] = now();
    }
}

pub(crate) fn is_terminating(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some()
}

// The text of a Secret's key.
pub(crate) fn secret_text(secret: &Value, key: &str) -> String {
    let data: k8s_openapi::ByteString =
        serde_json::from_value(secret["data"][key].clone()).unwrap_or_default();
    String::from_utf8(data.0).unwrap()
}

fn now() -> Value {
    json!(clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

// The kubelet removes a pod after its processes have ended.
fn is_deleted(resource: &str, object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    resource != "pods" && is_terminating(object) && finalizers.is_none_or(Vec::is_empty)
}

// What keeps data while something uses it.
fn protection(resource: &str) -> Option<&'static str> {
    match resource {
        "persistentvolumeclaims" => Some("kubernetes.io/pvc-protection"),
        "persistentvolumes" => Some("kubernetes.io/pv-protection"),
        _ => None,
    }
}
