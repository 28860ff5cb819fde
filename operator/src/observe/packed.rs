//! The objects of one kind as the caches keep them: as JSON, compressed by what they have in common. That is
//! about a twentieth of the types in memory. Those of one stack are read from it at each reconcile.

use std::{
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use lz4_flex::block::{
    DecompressError, compress_prepend_size_with_dict, decompress_size_prepended_with_dict,
};

use kube::{ResourceExt as _, runtime::watcher};
use serde::{Serialize, de::DeserializeOwned};

use super::index::{Index, Item, Key};

/// The objects of one kind; a clone shares them.
pub(crate) struct Packed<K> {
    index: Index<Box<[u8]>>,
    /// The JSON of the first object. Those of other stacks are almost equal.
    dictionary: Arc<OnceLock<Vec<u8>>>,
    keys: fn(&K) -> Vec<Key>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Packed<K> {
    fn clone(&self) -> Self {
        let Self { index, dictionary, keys, kind } = self;
        Self { index: index.clone(), dictionary: Arc::clone(dictionary), keys: *keys, kind: *kind }
    }
}

impl<K> Packed<K>
where
    K: kube::Resource<DynamicType = ()> + Serialize + DeserializeOwned,
{
    /// No objects. They are found by their names, and by these keys.
    pub(crate) fn new(keys: fn(&K) -> Vec<Key>) -> Self {
        Self { index: Index::default(), dictionary: Arc::default(), keys, kind: PhantomData }
    }

    /// Waits until the watch has listed once.
    pub(crate) async fn ready(&self) {
        self.index.ready().await;
    }

    /// Objects with one of the keys, each once, and perhaps others.
    pub(crate) fn find(&self, keys: impl IntoIterator<Item = Key>) -> Vec<Arc<K>> {
        self.index.find(keys).iter().filter_map(|item| self.unpack(item)).collect()
    }

    /// Every object.
    pub(crate) fn all(&self) -> Vec<Arc<K>> {
        self.index.all().iter().filter_map(|item| self.unpack(item)).collect()
    }

    /// Follows a watch.
    pub(crate) fn receive(&self, event: &watcher::Event<K>) {
        match event {
            watcher::Event::Init => self.index.start_list(),
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => self.insert(object),
            watcher::Event::InitDone => self.index.end_list(),
            watcher::Event::Delete(object) => self.index.remove(&name(object)),
        }
    }

    fn insert(&self, object: &K) {
        match serde_json::to_vec(object) {
            Ok(json) => {
                let dictionary = self.dictionary.get_or_init(|| json.clone());
                let packed = compress_prepend_size_with_dict(&json, dictionary).into_boxed_slice();
                self.index.insert(name(object), (self.keys)(object), packed);
            }
            Err(error) => {
                // What is missing here is read by its name.
                tracing::error!(object.kind = %K::kind(&()), object.name = %object.name_any(), %error, "Object cannot be kept");
                self.index.remove(&name(object));
            }
        }
    }

    fn unpack(&self, item: &Item<Box<[u8]>>) -> Option<Arc<K>> {
        let dictionary = self.dictionary.get().map(Vec::as_slice).unwrap_or_default();
        match read(&item.value, dictionary) {
            Ok(object) => Some(Arc::new(object)),
            Err(error) => {
                tracing::error!(object.kind = %K::kind(&()), %error, "Object cannot be read from the cache");
                None
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("failed to decompress: {0}")]
    Decompress(#[from] DecompressError),
    #[error("failed to read JSON: {0}")]
    Read(#[from] serde_json::Error),
}

fn read<K: DeserializeOwned>(packed: &[u8], dictionary: &[u8]) -> Result<K, Error> {
    let json = decompress_size_prepended_with_dict(packed, dictionary)?;
    Ok(serde_json::from_slice(&json)?)
}

fn name<K: kube::Resource>(object: &K) -> Key {
    Key::Name(object.namespace(), object.name_any())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> Pod {
        let labels =
            json!({"app.kubernetes.io/managed-by": "todostack-operator", "todostack.dev/stack": name});
        let conditions =
            ["Ready", "Initialized", "PodScheduled"].map(|kind| json!({"type": kind, "status": "True"}));
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shops", "labels": labels},
            "status": {"conditions": conditions, "phase": "Running"},
        }))
        .unwrap()
    }

    #[test]
    fn objects_are_read_as_they_were_received_and_take_little_memory() {
        let packed = Packed::new(|_: &Pod| Vec::new());
        let names: Vec<_> = (0..9).map(|number| format!("shop-{number}")).collect();
        for name in &names {
            packed.receive(&watcher::Event::Apply(pod(name)));
        }
        for name in &names {
            let key = || [Key::Name(Some("shops".into()), name.clone())];
            assert_eq!(packed.find(key()), [Arc::new(pod(name))]);
            let size = packed.index.find(key())[0].value.len();
            let json = serde_json::to_vec(&pod(name)).unwrap().len();
            assert!(size * 4 < json, "{name}: {size} of {json} bytes");
        }
    }
}
