//! The watches: one feed for each kind, pruned as it arrives, each with its own backoff, so that one broken
//! watch does not slow the others. They fill the caches of `caches.rs`.

use std::{fmt::Debug, sync::Arc};

use futures::{Stream, StreamExt as _, future, stream::BoxStream, stream::SelectAll};
use k8s_openapi::{NamespaceResourceScope, api::core::v1::Secret};
use kube::{
    Api, Client, Resource,
    api::ObjectMeta,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        Predicate as _, PredicateConfig, WatchStreamExt as _, predicates,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;
use todostack_stack::{
    error_chain::one_line,
    labels,
    managed::{KindVisitor, ManagedKind, visit_kinds},
    observed::conflicts,
    prune,
    requirements::references_secret,
};

use super::caches::{Cache, Caches, Guarded};
use crate::metrics::Metrics;

/// Seconds after which a watch is reopened: below the idle limits of load balancers (240 s and more), so that
/// a connection that died silently is noticed.
const WATCH_SECONDS: u32 = 200;
/// Objects in a page of the first list. Small pages keep the peak of memory at the start low.
const PAGE: u32 = 50;

pub(crate) struct Triggers {
    /// Stacks whose spec, annotations or finalizers changed.
    pub(crate) stacks: BoxStream<'static, Result<Guarded, watcher::Error>>,
    /// Stacks for which an object changed that belongs to them or that they reference.
    pub(crate) related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

/// Opens every feed. No request is made before the streams are polled.
pub(crate) fn open(client: &Client, namespace: Option<&str>, metrics: &Metrics) -> (Caches, Triggers) {
    let (stacks, writer) = reflector::store();
    let changed = watcher(scoped::<Guarded>(client, namespace), config())
        .default_backoff()
        .modify(|stack: &mut Guarded| prune::metadata(stack.meta_mut()))
        .reflect(writer)
        .touched_objects()
        .predicate_filter(
            predicates::generation.combine(predicates::annotations).combine(deletion),
            PredicateConfig::default(),
        );
    let changed = with_competitors(changed, stacks.clone());
    let mut feeds = Feeds {
        client,
        namespace,
        metrics,
        stacks: stacks.clone(),
        managed: Vec::new(),
        related: SelectAll::new(),
    };
    visit_kinds(&mut feeds);
    let pods = feeds.labelled(scoped(client, namespace), prune::pod);
    let storage_classes = feeds.classes(prune::storage_class);
    let ingress_classes = feeds.classes(prune::ingress_class);
    feeds.referenced_secrets();
    let Feeds { managed, related, .. } = feeds;
    (
        Caches { stacks, managed, pods, storage_classes, ingress_classes },
        Triggers { stacks: changed.boxed(), related },
    )
}

fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE)
}

/// The objects of one namespace, or of all.
pub(crate) fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Reconcile on deletion too: setting `deletionTimestamp` does not always bump `metadata.generation`.
#[expect(clippy::unnecessary_wraps, reason = "a predicate's signature")]
fn deletion(stack: &Guarded) -> Option<u64> {
    Some(u64::from(stack.meta().deletion_timestamp.is_some()))
}

/// After a stack that changed come those that want the same export or host: an older one may now have it.
fn with_competitors<E>(
    changed: impl Stream<Item = Result<Guarded, E>>,
    stacks: Store<Guarded>,
) -> impl Stream<Item = Result<Guarded, E>> {
    changed.flat_map(move |changed| {
        let competitors = match &changed {
            Ok(DeserializeGuard(Ok(stack))) => stacks.state_filter(|other| {
                other.0.as_ref().is_ok_and(|other| {
                    other.metadata.uid != stack.metadata.uid && conflicts::compete(stack, other)
                })
            }),
            _ => Vec::new(),
        };
        let competitors = competitors.into_iter().map(|other| Ok(Guarded::clone(&other)));
        futures::stream::iter(std::iter::once(changed).chain(competitors))
    })
}

struct Feeds<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    metrics: &'a Metrics,
    stacks: Store<Guarded>,
    managed: Vec<Arc<dyn Cache>>,
    related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

impl KindVisitor for Feeds<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        let cache = self.labelled::<K>(scoped(self.client, self.namespace), K::prune);
        self.managed.push(Arc::new(cache));
    }

    fn cluster<K: ManagedKind>(&mut self) {
        let cache = self.labelled::<K>(Api::all(self.client.clone()), K::prune);
        self.managed.push(Arc::new(cache));
    }
}

impl Feeds<'_> {
    /// Objects that carry the operator's label; each names its stack.
    fn labelled<K: Watched>(&mut self, api: Api<K>, prune: fn(&mut K)) -> Store<K> {
        let (reader, writer) = reflector::store();
        let config = config().labels(&labels::watch_selector());
        let events = watcher(api, config).default_backoff().modify(prune).reflect(writer).touched_objects();
        let related = received::<K, _>(events, self.metrics.clone())
            .filter_map(|object| future::ready(stack_of(object.meta())));
        self.related.push(related.boxed());
        reader
    }

    /// Classes are cluster-scoped, few and rarely changed, and each may concern every stack.
    fn classes<K: Watched>(&mut self, prune: fn(&mut K)) -> Store<K> {
        let (reader, writer) = reflector::store();
        let api = Api::all(self.client.clone());
        let events = watcher(api, config()).default_backoff().modify(prune).reflect(writer).touched_objects();
        let stacks = self.stacks.clone();
        let related = received::<K, _>(events, self.metrics.clone()).flat_map(move |_| {
            let all: Vec<_> =
                stacks.state().iter().map(|stack| ObjectRef::from_obj(stack.as_ref())).collect();
            futures::stream::iter(all)
        });
        self.related.push(related.boxed());
        reader
    }

    /// Users' Secrets: only their metadata is watched, and nothing of them is kept. Helm's release Secrets
    /// are excluded by type, since they are large and many.
    fn referenced_secrets(&mut self) {
        let api: Api<PartialObjectMeta<Secret>> = scoped(self.client, self.namespace);
        let config = config().fields("type!=helm.sh/release.v1");
        let events = watcher(api, config).default_backoff().touched_objects();
        let stacks = self.stacks.clone();
        let related =
            received::<PartialObjectMeta<Secret>, _>(events, self.metrics.clone()).flat_map(move |secret| {
                let references = |stack: &Guarded| {
                    stack.0.as_ref().is_ok_and(|stack| references_secret(stack, &secret.metadata))
                };
                let users: Vec<_> = stacks
                    .state_filter(references)
                    .iter()
                    .map(|stack| ObjectRef::from_obj(stack.as_ref()))
                    .collect();
                futures::stream::iter(users)
            });
        self.related.push(related.boxed());
    }
}

trait Watched: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static {}
impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
}

/// The objects of a watch. Errors are logged and counted; the watch retries after a pause.
fn received<K, S>(events: S, metrics: Metrics) -> impl Stream<Item = K> + Send + 'static
where
    K: Resource<DynamicType = ()> + Send + 'static,
    S: Stream<Item = Result<K, watcher::Error>> + Send + 'static,
{
    events.filter_map(move |event| {
        let kind = K::kind(&());
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

fn stack_of(metadata: &ObjectMeta) -> Option<ObjectRef<Guarded>> {
    let (namespace, name) = labels::stack_of(metadata)?;
    Some(ObjectRef::new(name).within(namespace))
}

#[cfg(test)]
mod tests;
