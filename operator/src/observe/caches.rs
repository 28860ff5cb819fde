//! The watch caches, one store for each kind, and the objects of one stack in them. `feeds.rs` fills them.

use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::{core::v1::Pod, networking::v1::IngressClass, storage::v1::StorageClass};
use kube::{
    ResourceExt as _,
    core::DeserializeGuard,
    runtime::reflector::{Store, store::WriterDropped},
};
use todostack_crds::TodoStack;
use todostack_stack::{
    managed::{Key, ManagedKind, ManagedObjects},
    observed::{Listing, origin::concerns},
    stack_ref::StackRef,
};

/// A `TodoStack` as it is watched: one that cannot be read must not stop the watch of the others (kube issue
/// 774).
pub(crate) type Guarded = DeserializeGuard<TodoStack>;

#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) stacks: Store<Guarded>,
    pub(crate) managed: Vec<Arc<dyn Cache>>,
    pub(crate) pods: Store<Pod>,
    pub(crate) storage_classes: Store<StorageClass>,
    pub(crate) ingress_classes: Store<IngressClass>,
}

pub(crate) trait Cache: Send + Sync {
    /// Waits until the feed has listed once.
    fn ready(&self) -> BoxFuture<'_, Result<(), WriterDropped>>;

    /// Adds the objects that concern the stack or that have one of its keys, and all PersistentVolumes: one
    /// of another stack may be on the same export.
    fn collect(&self, stack: &StackRef, keys: &[Key], objects: &mut ManagedObjects);
}

impl<K: ManagedKind> Cache for Store<K> {
    fn ready(&self) -> BoxFuture<'_, Result<(), WriterDropped>> {
        Box::pin(self.wait_until_ready())
    }

    fn collect(&self, stack: &StackRef, keys: &[Key], objects: &mut ManagedObjects) {
        let has_key = |object: &K| {
            let is_here = object.namespace().is_none_or(|namespace| namespace == stack.namespace);
            is_here
                && keys
                    .iter()
                    .any(|key| key.kind == K::KIND && object.meta().name.as_ref() == Some(&key.name))
        };
        let is_chosen =
            |object: &K| !K::KIND.is_namespaced() || concerns(stack, object.meta()) || has_key(object);
        K::select(objects).extend(self.state_filter(is_chosen));
    }
}

impl Caches {
    /// Waits until every feed of managed objects, pods and classes has listed once. Before that, an object
    /// that a cache lacks may exist. To be called once: a store wakes only the last task that waits for it
    /// (kube-runtime 5.0, `DelayedInit`), and the controller waits for the store of the stacks.
    pub(crate) async fn ready(&self) -> Result<(), WriterDropped> {
        let Self { stacks: _, managed, pods, storage_classes, ingress_classes } = self;
        for cache in managed {
            cache.ready().await?;
        }
        pods.wait_until_ready().await?;
        storage_classes.wait_until_ready().await?;
        ingress_classes.wait_until_ready().await
    }

    /// What the caches hold of `stack`; `keys` are the objects that its spec asks for.
    pub(crate) fn listing(&self, stack: &StackRef, keys: &[Key]) -> Listing {
        let mut managed = ManagedObjects::default();
        for cache in &self.managed {
            cache.collect(stack, keys, &mut managed);
        }
        Listing {
            managed,
            pods: self.pods.state_filter(|pod| concerns(stack, &pod.metadata)),
            storage_classes: self.storage_classes.state(),
            ingress_classes: self.ingress_classes.state(),
        }
    }
}
