//! The sets of fields that the operator owns, each kept once: those of all stacks' objects of one kind are
//! alike, and one of a StatefulSet takes 100 KiB in memory. What a set says is decided in
//! `apply/ownership.rs`.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use kube::api::ObjectMeta;
use serde_json::Value;
use todostack_stack::observed::origin::controller;

/// Stands for the uid of an object's controller.
pub(crate) const OWNER: &str = "$";

/// Sets after which all are evicted: there are some twenty, unless users change the keys of annotations
/// all the time. An object whose set is not known is applied once more, and the watch brings it again.
const MANY: usize = 1024;

/// Field sets by their hash; a clone shares them.
#[derive(Clone, Default)]
pub(crate) struct FieldSets(Arc<Sets>);

#[derive(Default)]
struct Sets {
    hasher: RandomState,
    by_hash: Mutex<HashMap<String, Arc<Value>>>,
}

impl FieldSets {
    /// Replaces the field sets of an object by their hashes, and the uid of its controller in them by
    /// `OWNER`.
    pub(crate) fn intern(&self, metadata: &mut ObjectMeta) {
        let owner = controller(metadata).map(|owner| format!("k:{{\"uid\":\"{}\"}}", owner.uid));
        let entries = metadata.managed_fields.iter_mut().flatten();
        for fields in entries.filter_map(|entry| entry.fields_v1.as_mut()) {
            let mut set = mem::take(&mut fields.0);
            if let Some(owner) = &owner {
                replace_owner(&mut set, owner);
            }
            let text = set.to_string();
            let hash = format!("{:016x}", self.0.hasher.hash_one(&text));
            let mut sets = self.0.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
            if sets.len() >= MANY {
                sets.clear();
            }
            sets.entry(hash.clone()).or_insert_with(|| Arc::new(set));
            fields.0 = Value::String(hash);
        }
    }

    /// The metadata as the API server gave it, for what is rare. Sets that are not known stay hashes.
    pub(crate) fn resolve(&self, metadata: &ObjectMeta) -> ObjectMeta {
        let mut metadata = metadata.clone();
        let owner = controller(&metadata).map(|owner| format!("k:{{\"uid\":\"{}\"}}", owner.uid));
        let entries = metadata.managed_fields.iter_mut().flatten();
        for fields in entries.filter_map(|entry| entry.fields_v1.as_mut()) {
            let Some(set) = fields.0.as_str().and_then(|hash| self.get(hash)) else { continue };
            fields.0 = Value::clone(&set);
            let owners = fields.0.pointer_mut("/f:metadata/f:ownerReferences").and_then(Value::as_object_mut);
            if let (Some(owner), Some(owners)) = (&owner, owners)
                && let Some(below) = owners.remove(&format!("k:{{\"uid\":\"{OWNER}\"}}"))
            {
                owners.insert(owner.clone(), below);
            }
        }
        metadata
    }

    /// The set of this hash.
    pub(crate) fn get(&self, hash: &str) -> Option<Arc<Value>> {
        self.0.by_hash.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }
}

fn replace_owner(set: &mut Value, owner: &str) {
    let owners = set.pointer_mut("/f:metadata/f:ownerReferences").and_then(Value::as_object_mut);
    if let Some(owners) = owners
        && let Some(fields) = owners.remove(owner)
    {
        owners.insert(format!("k:{{\"uid\":\"{OWNER}\"}}"), fields);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(uid: &str, label: &str) -> ObjectMeta {
        let owner = json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "name": "shop",
            "uid": uid, "controller": true});
        let owners = json!({format!("k:{{\"uid\":\"{uid}\"}}"): {}});
        let set =
            json!({"f:metadata": {"f:labels": {format!("f:{label}"): {}}, "f:ownerReferences": owners}});
        let fields = json!({"manager": "todostack-operator", "operation": "Apply", "fieldsV1": set});
        serde_json::from_value(json!({"ownerReferences": [owner], "managedFields": [fields]})).unwrap()
    }

    fn interned(sets: &FieldSets, mut metadata: ObjectMeta) -> String {
        sets.intern(&mut metadata);
        let Some([entry]) = metadata.managed_fields.as_deref() else { panic!("{metadata:?}") };
        entry.fields_v1.as_ref().unwrap().0.as_str().unwrap().to_owned()
    }

    #[test]
    fn objects_of_two_stacks_share_a_set_and_others_do_not() {
        let sets = FieldSets::default();
        let (one, two) = (interned(&sets, metadata("1", "a")), interned(&sets, metadata("2", "a")));
        assert_eq!(one, two);
        assert_ne!(one, interned(&sets, metadata("1", "b")));
        let labels = sets.get(&one).unwrap()["f:metadata"]["f:labels"].clone();
        assert_eq!(labels, json!({"f:a": {}}));
    }

    #[test]
    fn what_was_interned_is_found_again() {
        let (sets, original) = (FieldSets::default(), metadata("1", "a"));
        let mut kept = original.clone();
        sets.intern(&mut kept);
        assert_eq!(sets.resolve(&kept), original);
        assert_eq!(sets.resolve(&original), original);
    }

    #[test]
    fn sets_do_not_grow_without_end() {
        let sets = FieldSets::default();
        for number in 0..3 * MANY {
            interned(&sets, metadata("1", &number.to_string()));
        }
        assert!(sets.0.by_hash.lock().unwrap().len() <= MANY);
    }
}
