//! The controllers of the cluster other than the operator: each step brings every object a little further.

use serde_json::{Value, json};
use todostack_stack::hash;

use super::{
    pods,
    store::{FOREGROUND, Store, is_terminating},
    volumes,
};

pub(crate) fn step(store: &mut Store) {
    collect_garbage(store);
    volumes::step(store);
    pods::step(store);
    for name in store.names("statefulsets") {
        stateful_set(store, &name);
    }
    for name in store.names("jobs") {
        job(store, &name);
    }
    for name in store.names("deployments") {
        deployment(store, &name);
    }
    for name in store.names("ingresses") {
        let status = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
        store.update("ingresses", &name, |ingress| ingress["status"] = status);
    }
}

// Deletes objects whose owners no longer exist, or wait for their deletion.
fn collect_garbage(store: &mut Store) {
    let waits = |object: &Value| object["metadata"]["finalizers"].to_string().contains(FOREGROUND);
    let is_garbage = |object: &Value| {
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| {
            !owners
                .iter()
                .any(|owner| store.all().any(|(_, it)| it["metadata"]["uid"] == owner["uid"] && !waits(it)))
        })
    };
    let garbage = objects(store, is_garbage);
    let is_alone = |object: &Value| waits(object) && pods_of(store, object).is_empty();
    let alone = objects(store, is_alone);
    for (resource, name) in garbage {
        store.delete(&resource, &name);
    }
    for (resource, name) in alone {
        store.update(&resource, &name, |object| object["metadata"]["finalizers"] = json!([]));
    }
}

// Plural and name of the objects that are chosen.
fn objects(store: &Store, is_chosen: impl Fn(&Value) -> bool) -> Vec<(String, String)> {
    let chosen = store.all().filter(|(_, object)| is_chosen(object));
    chosen.map(|(resource, object)| (resource.to_owned(), name_of(object))).collect()
}

fn pods_of(store: &Store, owner: &Value) -> Vec<Value> {
    let uid = &owner["metadata"]["uid"];
    let is_owned = |pod: &&Value| pod["metadata"]["ownerReferences"][0]["uid"] == *uid;
    store.list("pods").filter(is_owned).cloned().collect()
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

fn revision(owner: &Value) -> String {
    hash::short(&[&owner["spec"]["template"].to_string()])
}

// As Kubernetes does, it does not replace a pod that is not ready (kubernetes issue 67250).
fn stateful_set(store: &mut Store, name: &str) {
    let set = store.get("statefulsets", name).cloned().unwrap();
    let revision = revision(&set);
    let pods = pods_of(store, &set);
    match pods.first() {
        None => {
            let labels = json!({"controller-revision-hash": revision});
            pods::create(store, &format!("{name}-0"), &set, &labels);
        }
        Some(pod) if pod["metadata"]["labels"]["controller-revision-hash"] != *revision => {
            if pods::is_ready(pod) {
                store.delete("pods", &name_of(pod));
            }
        }
        Some(_) => {}
    }
    let ready = pods.iter().filter(|pod| pods::is_ready(pod)).count();
    let generation = set["metadata"]["generation"].clone();
    let is_updated = |pod: &&Value| {
        pod["metadata"]["labels"]["controller-revision-hash"] == *revision && !is_terminating(pod)
    };
    let updated: Vec<_> = pods.iter().filter(is_updated).collect();
    let is_done = updated.iter().any(|pod| pods::is_ready(pod));
    let before = set["status"]["currentRevision"].as_str().map(str::to_owned);
    let current = before.filter(|_| !is_done).unwrap_or_else(|| revision.clone());
    store.update("statefulsets", name, |set| {
        set["status"] = json!({"observedGeneration": generation, "replicas": 1, "readyReplicas": ready,
            "updateRevision": revision, "currentRevision": current, "updatedReplicas": updated.len()});
    });
}

fn job(store: &mut Store, name: &str) {
    let job = store.get("jobs", name).cloned().unwrap();
    if job["status"].get("conditions").is_some() || is_terminating(&job) {
        return;
    }
    let pods = pods_of(store, &job);
    if pods.is_empty() {
        let labels = json!({"job-name": name, "batch.kubernetes.io/job-name": name});
        let pod = format!("{name}-{}", store.version());
        pods::create(store, &pod, &job, &labels);
    }
    let is_done = pods.iter().any(|pod| pod["status"]["phase"] == "Succeeded");
    store.update("jobs", name, |job| {
        job["status"] = if is_done {
            json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]})
        } else {
            json!({"active": 1})
        };
    });
}

// One pod more with each step; old ones go when the new ones are ready.
fn deployment(store: &mut Store, name: &str) {
    let deployment = store.get("deployments", name).cloned().unwrap();
    let revision = revision(&deployment);
    let is_recreated = deployment["spec"]["strategy"]["type"] == "Recreate";
    // A foreign one has no spec here.
    let Some(desired) = deployment["spec"]["replicas"].as_u64() else { return };
    let desired = usize::try_from(desired).unwrap();
    let (new, old): (Vec<_>, Vec<_>) = pods_of(store, &deployment)
        .into_iter()
        .filter(|pod| !is_terminating(pod))
        .partition(|pod| pod["metadata"]["labels"]["pod-template-hash"] == *revision);
    let ready = new.iter().filter(|pod| pods::is_ready(pod)).count();
    if new.len() < desired && (!is_recreated || old.is_empty()) {
        let pod = format!("{name}-{revision}-{}", store.version());
        pods::create(store, &pod, &deployment, &json!({"pod-template-hash": revision}));
    }
    let superfluous = new.iter().skip(desired);
    let replaced = old.iter().filter(|_| is_recreated || ready >= desired);
    for pod in superfluous.chain(replaced) {
        store.delete("pods", &name_of(pod));
    }
    let all = new.len() + old.len();
    let all_ready = ready + old.iter().filter(|pod| pods::is_ready(pod)).count();
    let generation = deployment["metadata"]["generation"].clone();
    store.update("deployments", name, |deployment| {
        deployment["status"] = json!({"observedGeneration": generation, "replicas": all,
            "updatedReplicas": new.len(), "readyReplicas": all_ready, "availableReplicas": all_ready,
            "unavailableReplicas": desired.saturating_sub(ready), "conditions": [
                {"type": "Available", "status": if all_ready >= desired { "True" } else { "False" }}]});
    });
}
