//! What all reconciles share: client, settings, caches and metrics.

use kube::{
    Api, Client, Resource as _,
    api::{DynamicObject, ObjectMeta},
    runtime::events::Recorder,
};
use tokio::sync::watch;

use todostack_stack::{config::Config, managed::Kind, stack_ref::StackRef};

use crate::{
    backoff::Backoff,
    corrections::Corrections,
    installation::Installation,
    lane::Lane,
    leader::fence::Fence,
    metrics::Metrics,
    observe::{
        caches::{Caches, Guarded},
        data_volumes::DataVolumes,
        recent_writes::RecentWrites,
        unlisted::Unlisted,
    },
    requeue::Published,
    running::Running,
    shard::Shard,
    upgrades::Upgrades,
};

pub(crate) struct Context {
    /// Its writes pass only while this replica leads.
    pub(crate) client: Client,
    pub(crate) fence: Fence,
    pub(crate) installation: Installation,
    pub(crate) running: Running,
    pub(crate) config: Config,
    /// The stacks that this operator serves.
    pub(crate) shard: Shard,
    pub(crate) caches: Caches,
    /// Becomes true when every watch has listed once.
    pub(crate) listed: watch::Receiver<bool>,
    /// Recent writes that the caches may lack.
    pub(crate) recent_writes: RecentWrites,
    /// Objects that the caches lack although they exist.
    pub(crate) unlisted: Unlisted,
    pub(crate) data_volumes: DataVolumes,
    pub(crate) backoff: Backoff,
    pub(crate) lane: Lane,
    pub(crate) corrections: Corrections,
    pub(crate) published: Published,
    pub(crate) upgrades: Upgrades,
    pub(crate) recorder: Recorder,
    pub(crate) metrics: Metrics,
}

impl Context {
    /// The objects of a kind, in the namespace of the stack or, if they have none, of the cluster.
    pub(crate) fn api(&self, stack: &StackRef, kind: Kind) -> Api<DynamicObject> {
        let (client, resource) = (self.client.clone(), kind.api_resource());
        if kind.is_namespaced() {
            Api::namespaced_with(client, &stack.namespace, &resource)
        } else {
            Api::all_with(client, &resource)
        }
    }

    /// Evicts what is known of a deleted stack.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.recent_writes.evict(stack);
        self.unlisted.evict(stack);
        self.published.evict(stack);
        self.data_volumes.evict(stack);
        self.upgrades.evict(stack);
        self.corrections.evict(stack);
    }

    /// Whether the stack is this operator's to manage.
    pub(crate) fn serves(&self, stack: &Guarded) -> bool {
        let ObjectMeta { namespace, uid, .. } = stack.meta();
        self.shard.has(uid.as_deref().unwrap_or_default())
            && self.caches.serves(namespace.as_deref().unwrap_or_default())
    }

    /// Waits until every watch has listed once.
    pub(crate) async fn listed(&self) -> Result<(), watch::error::RecvError> {
        self.listed.clone().wait_for(|listed| *listed).await.map(drop)
    }
}
