//! The context of a process that has listed everything. Its API server is in `api_server.rs`.

use std::sync::Arc;

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Client, Resource,
    core::DeserializeGuard,
    runtime::{
        events::{Recorder, Reporter},
        reflector, watcher,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use todostack_crds::TodoStack;
use todostack_stack::{
    fixtures,
    managed::{KindVisitor, ManagedKind, ManagedObjects, visit_kinds},
    observed::Listing,
};

use crate::{
    backoff::Backoff,
    context::Context,
    installation::Installation,
    lane::Lane,
    leader::fence::Fence,
    metrics::Metrics,
    observe::{
        caches::{self, Cache, Caches, Interests},
        data_volumes::DataVolumes,
        field_sets::FieldSets,
        index::Key,
        packed::Packed,
        recent_writes::RecentWrites,
        unlisted::Unlisted,
        warnings::Warnings,
    },
    requeue::Published,
    running::Running,
    upgrades::{Limits, Upgrades},
};

fn store<K>(objects: Vec<Arc<K>>) -> reflector::Store<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&watcher::Event::Init);
    for object in objects {
        writer.apply_watcher_event(&watcher::Event::InitApply(K::clone(&object)));
    }
    writer.apply_watcher_event(&watcher::Event::InitDone);
    store
}

fn packed<K>(keys: fn(&K) -> Vec<Key>, objects: Vec<Arc<K>>) -> Packed<K>
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned,
{
    let packed = Packed::new(keys);
    for object in objects {
        packed.receive(&watcher::Event::Apply(K::clone(&object)));
    }
    packed.receive(&watcher::Event::InitDone);
    packed
}

struct Filled {
    objects: ManagedObjects,
    caches: Vec<Arc<dyn Cache>>,
}

impl KindVisitor for Filled {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        self.cluster::<K>();
    }

    fn cluster<K: ManagedKind>(&mut self) {
        let objects = std::mem::take(K::select(&mut self.objects));
        self.caches.push(Arc::new(packed(caches::keys::<K>, objects)));
    }
}

pub(super) fn caches(stack: &TodoStack, listing: Listing) -> Caches {
    let Listing { managed, pods, storage_classes, ingress_classes } = listing;
    let guarded = DeserializeGuard(Ok(stack.clone()));
    let interests = Interests::default();
    interests.receive(&watcher::Event::Apply(guarded.clone()));
    let mut filled = Filled { objects: managed, caches: Vec::new() };
    visit_kinds(&mut filled);
    Caches {
        namespaces: None,
        interests,
        stacks: store(vec![Arc::new(guarded)]),
        managed: filled.caches,
        pods: packed(caches::keys_of_pod, pods),
        storage_classes: store(storage_classes),
        ingress_classes: store(ingress_classes),
        warnings: Warnings::default(),
        field_sets: FieldSets::default(),
    }
}

// The context of a process that has listed everything.
pub(crate) fn context(client: Client, caches: Caches) -> Context {
    Context {
        recorder: Recorder::new(client.clone(), Reporter { controller: "test".into(), instance: None }),
        client,
        config: fixtures::config(),
        caches,
        listed: tokio::sync::watch::channel(true).1,
        recent_writes: RecentWrites::default(),
        unlisted: Unlisted::default(),
        data_volumes: DataVolumes::default(),
        backoff: Backoff::default(),
        lane: Lane::new(1),
        corrections: crate::corrections::Corrections::default(),
        shard: crate::shard::Shard::default(),
        published: Published::at_once(),
        upgrades: Upgrades::new(&fixtures::config(), Limits { databases: 1, apis: 5 }),
        metrics: Metrics::default(),
        fence: Fence::open(),
        installation: Installation::default(),
        running: Running::default(),
    }
}
