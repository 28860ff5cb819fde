//! What the watches deliver: errors are logged and counted, and what other shards own is dropped.

use std::fmt::Debug;

use futures::{Stream, StreamExt as _, future};
use kube::{
    Resource,
    api::ObjectMeta,
    runtime::{reflector::ObjectRef, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use todostack_stack::{error_chain::one_line, labels, observed::origin};

use super::Guarded;
use crate::{metrics::Metrics, shard::Shard};

/// Whether an event concerns the stacks of the shard, as far as the owner of its object tells: data and pods,
/// which no stack owns, concern every shard.
pub(super) fn is_served<K: Resource>(shard: Shard, event: &watcher::Event<K>) -> bool {
    match event {
        watcher::Event::Apply(object)
        | watcher::Event::Delete(object)
        | watcher::Event::InitApply(object) => {
            origin::owning_stack(object.meta()).is_none_or(|uid| shard.has(uid))
        }
        watcher::Event::Init | watcher::Event::InitDone => true,
    }
}

/// What the watch of a kind delivers. Errors are logged and counted; the watch retries after a pause.
pub(super) fn received<T, S>(
    kind: &str,
    events: S,
    metrics: Metrics,
) -> impl Stream<Item = T> + Send + 'static
where
    T: Send + 'static,
    S: Stream<Item = Result<T, watcher::Error>> + Send + 'static,
{
    let kind = kind.to_owned();
    events.filter_map(move |event| {
        future::ready(match event {
            Ok(object) => {
                metrics.watch_event(&kind);
                Some(object)
            }
            Err(error) => {
                metrics.watch_error(&kind);
                tracing::warn!(object.kind = %kind, error = %one_line(&error), "Watch failed; retrying");
                None
            }
        })
    })
}

/// A kind that can be watched.
pub(super) trait Watched:
    Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + Debug + Send + Sync + 'static
{
}
impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + Debug + Send + Sync + 'static
{
}

/// The stack that the labels of an object name.
pub(super) fn stack_of(metadata: &ObjectMeta) -> Option<ObjectRef<Guarded>> {
    let (namespace, name) = labels::stack_of(metadata)?;
    Some(ObjectRef::new(name).within(namespace))
}
