//! What all reconciles share: client, settings, caches and metrics.

use kube::{Api, Client, api::DynamicObject, runtime::events::Recorder};
use tokio::sync::watch;

use todostack_stack::{config::Config, managed::Kind, stack_ref::StackRef};

use crate::{
    backoff::Backoff,
    metrics::Metrics,
    observe::{caches::Caches, recent_writes::RecentWrites},
};

pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) config: Config,
    pub(crate) caches: Caches,
    /// Becomes true when every watch has listed once.
    pub(crate) listed: watch::Receiver<bool>,
    /// Recent writes that the caches may lack.
    pub(crate) recent_writes: RecentWrites,
    pub(crate) backoff: Backoff,
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

    /// Waits until every watch has listed once.
    pub(crate) async fn listed(&self) -> Result<(), watch::error::RecvError> {
        self.listed.clone().wait_for(|listed| *listed).await.map(drop)
    }
}
