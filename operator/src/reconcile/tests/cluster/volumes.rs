//! The controllers of claims and volumes: binding, growth, release, and the protection of what is in use.

use serde_json::{Value, json};

use super::{
    references::references,
    store::{Store, is_terminating},
};

const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";
const PROTECTIONS: [&str; 2] = ["kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"];

pub(super) fn step(store: &mut Store) {
    for name in store.names(CLAIMS) {
        let claim = store.get(CLAIMS, &name).cloned().unwrap();
        if is_terminating(&claim) {
            release_claim(store, &name);
        } else if claim["status"]["phase"] != "Bound" {
            bind(store, &claim);
        } else {
            grow(store, &claim);
        }
    }
    for name in store.names(VOLUMES) {
        release_volume(store, &name);
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn release_claim(store: &mut Store, name: &str) {
    let claim = (CLAIMS, name.to_owned());
    let is_used = store.list("pods").any(|pod| references(&pod["spec"]).contains(&claim));
    if !is_used {
        store.update(CLAIMS, name, unprotect);
    }
}

fn unprotect(object: &mut Value) {
    if let Some(finalizers) = object["metadata"]["finalizers"].as_array_mut() {
        finalizers.retain(|it| !PROTECTIONS.contains(&it.as_str().unwrap()));
    }
}

// To the volume that the claim names, or to a new one of the default class.
fn bind(store: &mut Store, claim: &Value) {
    let (name, uid) = (text(claim, "/metadata/name"), claim["metadata"]["uid"].clone());
    // A foreign one may ask for nothing.
    let Some(size) = claim.pointer("/spec/resources/requests/storage").cloned() else { return };
    let volume = match text(claim, "/spec/volumeName") {
        "" => {
            let volume = format!("pvc-{}", uid.as_str().unwrap());
            let spec = json!({"capacity": {"storage": size}, "storageClassName": "standard",
                "persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {"namespace": "shops", "name": name, "uid": uid}});
            store.create(
                VOLUMES,
                json!({"apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": {"name": volume}, "spec": spec}),
            );
            volume
        }
        volume => volume.to_owned(),
    };
    let Some(found) = store.get(VOLUMES, &volume) else { return };
    let owner = &found["spec"]["claimRef"]["uid"];
    if found["spec"]["claimRef"]["name"] != name || !owner.is_null() && *owner != uid {
        return;
    }
    store.update(VOLUMES, &volume, |found| {
        found["spec"]["claimRef"]["uid"] = uid;
        found["status"] = json!({"phase": "Bound"});
    });
    store.update(CLAIMS, name, |claim| {
        if text(claim, "/spec/volumeName").is_empty() {
            claim["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"] = json!("yes");
        }
        claim["spec"]["volumeName"] = json!(volume);
        if claim["spec"].get("storageClassName").is_none() {
            claim["spec"]["storageClassName"] = json!("standard");
        }
        claim["status"] = json!({"phase": "Bound", "capacity": {"storage": size}});
    });
}

fn grow(store: &mut Store, claim: &Value) {
    let size = claim.pointer("/spec/resources/requests/storage").cloned().unwrap();
    store.update(VOLUMES, text(claim, "/spec/volumeName"), |volume| {
        volume["spec"]["capacity"]["storage"] = size.clone();
    });
    store.update(CLAIMS, text(claim, "/metadata/name"), |claim| {
        claim["status"]["capacity"]["storage"] = size.clone();
    });
}

fn release_volume(store: &mut Store, name: &str) {
    let volume = store.get(VOLUMES, name).unwrap();
    let uid = &volume["spec"]["claimRef"]["uid"];
    if !uid.is_null() && store.has_uid(uid) {
        return;
    }
    let is_provisioned = volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete";
    if is_terminating(volume) || is_provisioned && !uid.is_null() {
        store.delete(VOLUMES, name);
        store.update(VOLUMES, name, unprotect);
        return;
    }
    let phase = if uid.is_null() { "Available" } else { "Released" };
    store.update(VOLUMES, name, |volume| volume["status"] = json!({"phase": phase}));
}
