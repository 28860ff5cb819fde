//! Metadata of the managed objects that exist. What objects hold is not kept here.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Key, Kind};

/// Metadata of a stack's managed objects that exist.
#[derive(Clone, Debug, Default)]
pub struct Inventory(BTreeMap<Key, ObjectMeta>);

impl Inventory {
    pub fn contains(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }
    pub fn get(&self, key: &Key) -> Option<&ObjectMeta> {
        self.0.get(key)
    }

    /// Adds an object, or replaces what is known of it.
    pub fn insert(&mut self, key: Key, metadata: ObjectMeta) {
        self.0.insert(key, metadata);
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Key> {
        self.0.keys().filter(move |key| key.kind == kind)
    }
}
