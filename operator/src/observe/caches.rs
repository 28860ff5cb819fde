//! The watch caches, one for each kind, and the objects of one stack in them. `feeds.rs` fills them.

use std::{any::Any, sync::Arc};

use futures::future::BoxFuture;
use k8s_openapi::{
    api::{
        core::v1::{Namespace, PersistentVolume, Pod},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        reflector::{ObjectRef, Store, store::WriterDropped},
        watcher,
    },
};
use todostack_crds::TodoStack;
use todostack_stack::{
    export::Export,
    labels,
    managed::{self, ManagedKind, ManagedObjects},
    observed::{
        Listing,
        conflicts::{Contended, contended},
        origin::controller,
    },
    requirements::{References, Requirements},
    stack_ref::StackRef,
    upgrade::{Rollout, under_way},
};

use super::{
    field_sets::FieldSets,
    index::{Index, Key},
    packed::Packed,
    warnings::Warnings,
};

/// A `TodoStack` as it is watched: one that cannot be read must not stop the watch of the others (kube issue
/// 774).
pub(crate) type Guarded = DeserializeGuard<TodoStack>;

#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) stacks: Store<Guarded>,
    pub(crate) interests: Interests,
    pub(crate) managed: Vec<Arc<dyn Cache>>,
    pub(crate) pods: Packed<Pod>,
    pub(crate) storage_classes: Store<StorageClass>,
    pub(crate) ingress_classes: Store<IngressClass>,
    pub(crate) warnings: Warnings,
    pub(crate) field_sets: FieldSets,
    /// The namespaces that are served, if they are chosen by a label.
    pub(crate) namespaces: Option<Store<PartialObjectMeta<Namespace>>>,
}

/// Stacks, by what they may share with others and by the Secrets that they reference.
#[derive(Clone, Default)]
pub(crate) struct Interests(Index<ObjectRef<Guarded>>);

impl Interests {
    /// Follows the watch of stacks.
    pub(crate) fn receive(&self, event: &watcher::Event<Guarded>) {
        match event {
            watcher::Event::Init => self.0.start_list(),
            watcher::Event::InitApply(stack) | watcher::Event::Apply(stack) => self.insert(stack),
            watcher::Event::InitDone => self.0.end_list(),
            watcher::Event::Delete(stack) => self.0.remove(&Key::Name(stack.namespace(), stack.name_any())),
        }
    }

    fn insert(&self, stack: &Guarded) {
        let mut keys = Vec::new();
        if let Ok(stack) = &stack.0 {
            keys.extend(contended(stack).map(Key::from));
            let References { credentials, external, tls, .. } = Requirements::from(&stack.spec).references;
            let namespace = stack.namespace().unwrap_or_default();
            let secrets = [credentials, external, tls].into_iter().flatten();
            keys.extend(secrets.map(|secret| Key::Secret(namespace.clone(), secret.to_owned())));
        }
        self.0.insert(Key::Name(stack.namespace(), stack.name_any()), keys, ObjectRef::from_obj(stack));
    }

    /// Waits until the watch has listed once.
    async fn ready(&self) {
        self.0.ready().await;
    }

    /// The stacks with one of the keys.
    pub(crate) fn find(&self, keys: impl IntoIterator<Item = Key>) -> Vec<ObjectRef<Guarded>> {
        self.0.find(keys).iter().map(|item| item.value.clone()).collect()
    }

    /// Stacks that may want the same export or host as `stack`, itself among them.
    pub(crate) fn competitors(&self, stack: &TodoStack, stacks: &Store<Guarded>) -> Vec<Arc<Guarded>> {
        let found = self.find(contended(stack).map(Key::from));
        found.iter().filter_map(|stack| stacks.get(stack)).collect()
    }
}

impl From<Contended> for Key {
    fn from(contended: Contended) -> Self {
        match contended {
            Contended::Export(export) => Self::Export(export),
            Contended::Host(host) => Self::Host(host),
            Contended::AnyHost => Self::AnyHost,
        }
    }
}

/// What a managed object is found by beside its name.
pub(crate) fn keys<K: ManagedKind>(object: &K) -> Vec<Key> {
    let mut keys = keys_of_metadata(object.meta());
    // One of another stack may be on the same export.
    let volume = (object as &dyn Any).downcast_ref::<PersistentVolume>();
    keys.extend(volume.and_then(Export::from_volume).map(Key::Export));
    keys.extend(under_way(object).map(Key::Upgrading));
    keys
}

pub(crate) fn keys_of_pod(pod: &Pod) -> Vec<Key> {
    keys_of_metadata(&pod.metadata)
}

fn keys_of_metadata(metadata: &ObjectMeta) -> Vec<Key> {
    let stack = labels::stack_of(metadata);
    let stack = stack.map(|(namespace, name)| Key::Stack(namespace.to_owned(), name.to_owned()));
    let owner = controller(metadata).map(|owner| Key::Owner(owner.uid.clone()));
    [stack, owner].into_iter().flatten().collect()
}

pub(crate) trait Cache: Send + Sync {
    /// Waits until the feed has listed once.
    fn ready(&self) -> BoxFuture<'_, ()>;

    /// Adds the objects that concern the stack or that have one of its keys, and PersistentVolumes of its
    /// export.
    fn collect(&self, stack: &StackRef, keys: &[Key], objects: &mut ManagedObjects);

    /// Namespace, name and owner of the stacks with whose objects an upgrade has begun.
    fn upgrading(&self, rollout: Rollout) -> Vec<(ObjectRef<Guarded>, Option<String>)>;
}

impl<K: ManagedKind> Cache for Packed<K> {
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.ready())
    }

    fn collect(&self, stack: &StackRef, keys: &[Key], objects: &mut ManagedObjects) {
        let concerned = self.find(concerning(stack).into_iter().chain(keys.iter().cloned()));
        K::select(objects).extend(concerned);
    }

    fn upgrading(&self, rollout: Rollout) -> Vec<(ObjectRef<Guarded>, Option<String>)> {
        let objects = self.find([Key::Upgrading(rollout)]);
        let objects = objects.iter().filter(|object| under_way(object.as_ref()) == Some(rollout));
        let stack = |object: &Arc<K>| {
            let (namespace, name) = labels::stack_of(object.meta())?;
            let owner = controller(object.meta()).map(|owner| owner.uid.clone());
            Some((ObjectRef::new(name).within(namespace), owner))
        };
        objects.filter_map(stack).collect()
    }
}

fn concerning(stack: &StackRef) -> [Key; 2] {
    [Key::Stack(stack.namespace.clone(), stack.name.clone()), Key::Owner(stack.uid.clone())]
}

impl Caches {
    /// Waits until every feed of managed objects, pods, classes and Warnings has listed once. Before that, an
    /// object that a cache lacks may exist. To be called once: a store wakes only the last task that waits
    /// for it (kube-runtime 5.0, `DelayedInit`), and the controller waits for the store of the stacks.
    pub(crate) async fn ready(&self) -> Result<(), WriterDropped> {
        let Self {
            stacks: _,
            interests,
            managed,
            pods,
            storage_classes,
            ingress_classes,
            warnings,
            field_sets: _,
            namespaces,
        } = self;
        interests.ready().await;
        for cache in managed {
            cache.ready().await;
        }
        pods.ready().await;
        warnings.ready().await;
        if let Some(namespaces) = namespaces {
            namespaces.wait_until_ready().await?;
        }
        storage_classes.wait_until_ready().await?;
        ingress_classes.wait_until_ready().await
    }

    /// Whether stacks of the namespace are served.
    pub(crate) fn serves(&self, namespace: &str) -> bool {
        let is_chosen = |namespaces: &Store<_>| namespaces.get(&ObjectRef::new(namespace)).is_some();
        self.namespaces.as_ref().is_none_or(is_chosen)
    }

    /// What the caches hold of `stack`.
    pub(crate) fn listing(&self, todostack: &TodoStack, stack: &StackRef) -> Listing {
        let requirements = Requirements::from(&todostack.spec);
        let expected = managed::expected(stack, &requirements).into_iter().map(|key| {
            let namespace = key.kind.is_namespaced().then(|| stack.namespace.clone());
            Key::Name(namespace, key.name)
        });
        let keys: Vec<_> = expected.chain(contended(todostack).map(Key::from)).collect();
        let mut managed = ManagedObjects::default();
        for cache in &self.managed {
            cache.collect(stack, &keys, &mut managed);
        }
        Listing {
            managed,
            pods: self.pods.find(concerning(stack)),
            storage_classes: self.storage_classes.state(),
            ingress_classes: self.ingress_classes.state(),
        }
    }

    /// Stacks with whose objects an upgrade has begun, and has not ended.
    pub(crate) fn upgrading(&self, rollout: Rollout) -> Vec<ObjectRef<Guarded>> {
        let found = self.managed.iter().flat_map(|cache| cache.upgrading(rollout));
        // Labels say whose an object is, and anyone can set them.
        let is_own = |(stack, owner): &(ObjectRef<Guarded>, Option<String>)| {
            self.stacks.get(stack).is_some_and(|stack| stack.uid() == *owner)
        };
        found.filter(is_own).map(|(stack, _)| stack).collect()
    }
}
