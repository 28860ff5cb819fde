//! The kubelet: pods start when what they refer to exists, serve when the database accepts their credentials,
//! and end.

use serde_json::{Value, json};

use super::{
    references::references,
    store::{Store, is_terminating, secret_text},
};

const COMPONENT: &str = "app.kubernetes.io/component";

pub(super) fn step(store: &mut Store) {
    for name in store.names("pods") {
        let pod = store.get("pods", &name).cloned().unwrap();
        if is_terminating(&pod) {
            store.remove("pods", &name);
            continue;
        }
        let status = match pod["status"]["phase"].as_str() {
            Some("Succeeded") => continue,
            Some("Running") => run(store, &pod),
            _ if store.stuck.contains(&name) => run(store, &pod),
            _ if can_start(store, &pod) => status("Running", false),
            _ => status("Pending", false),
        };
        store.update("pods", &name, |pod| pod["status"] = status);
    }
}

// Creates a pod of a template.
pub(super) fn create(store: &mut Store, name: &str, owner: &Value, labels: &Value) {
    let template = &owner["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(name);
    metadata["ownerReferences"] = json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": true}]);
    for (label, value) in labels.as_object().unwrap() {
        metadata["labels"][label] = value.clone();
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
    store.create("pods", pod);
}

pub(super) fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"][0]["status"] == "True"
}

fn status(phase: &str, is_ready: bool) -> Value {
    let ready = if is_ready { "True" } else { "False" };
    json!({"phase": phase, "conditions": [{"type": "Ready", "status": ready}]})
}

fn can_start(store: &Store, pod: &Value) -> bool {
    let mut references = references(&pod["spec"]).into_iter();
    references.all(|(resource, name)| {
        let found = store.get(resource, &name);
        let is_bound = |object: &Value| object["status"]["phase"] == "Bound";
        found.is_some_and(|object| resource != "persistentvolumeclaims" || is_bound(object))
    })
}

fn run(store: &mut Store, pod: &Value) -> Value {
    if store.stuck.contains(pod["metadata"]["name"].as_str().unwrap()) {
        let mut status = status("Pending", false);
        status["containerStatuses"] = json!([{"name": "postgres", "image": "i", "imageID": "", "ready": false,
            "restartCount": 0, "state": {"waiting": {"reason": "InvalidImageName", "message": "x"}}}]);
        return status;
    }
    match pod["metadata"]["labels"][COMPONENT].as_str() {
        Some("migration") => migrate(store, pod),
        Some("api") => {
            status("Running", login(store, pod).is_none_or(|login| store.accepted.contains(&login)))
        }
        _ => status("Running", true),
    }
}

// Waits for the database, and sets the credentials on it.
fn migrate(store: &mut Store, pod: &Value) -> Value {
    let is_managed = pod["spec"].get("initContainers").is_some();
    let is_database = |pod: &&Value| pod["metadata"]["labels"][COMPONENT] == "database";
    if is_managed && !store.list("pods").filter(is_database).any(is_ready) {
        return status("Running", false);
    }
    if has_login(pod) {
        let Some(login) = login(store, pod) else { return status("Running", false) };
        if !store.accepted.contains(&login) {
            store.accepted.push(login);
        }
    } else if !store.list("pods").any(|pod| pod["metadata"]["labels"][COMPONENT] == "api") {
        // The trial of an image runs on the node of the API's pod.
        return status("Pending", false);
    }
    let ended = |message: &str| json!({"terminated": {"exitCode": 0, "message": message}});
    let container = |name: &str, message: &str| {
        json!({"name": name, "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
            "state": ended(message)})
    };
    let mut status = status("Succeeded", false);
    status["containerStatuses"] = json!([container("migrate", "{\"schemaVersion\": 1}")]);
    status["initContainerStatuses"] = json!([container("roles", "")]);
    status
}

// The trial of an image on a copy of a SQLite file has none.
fn has_login(pod: &Value) -> bool {
    pod["spec"]["containers"][0]["env"].to_string().contains("PGUSER")
}

// The credentials that the first container has in its variables.
fn login(store: &Store, pod: &Value) -> Option<(String, String)> {
    let variables = pod["spec"]["containers"][0]["env"].as_array()?;
    let user = variables.iter().find(|variable| variable["name"] == "PGUSER")?;
    let secret = store.get("secrets", user["valueFrom"]["secretKeyRef"]["name"].as_str()?)?;
    Some((secret_text(secret, "username"), secret_text(secret, "password")))
}
