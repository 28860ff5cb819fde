//! The watches: one feed for each kind, pruned as it arrives, each with its own backoff, so that one broken
//! watch does not slow the others. They fill the caches of `caches.rs`.

use std::sync::Arc;

use futures::{Stream, StreamExt as _, TryStreamExt as _, future, stream::BoxStream, stream::SelectAll};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Namespace, Secret},
};
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
use todostack_stack::{
    labels,
    managed::{KindVisitor, ManagedKind, visit_kinds},
    prune,
};

use self::received::{Watched, is_served, received, stack_of};
use super::{
    caches::{self, Cache, Caches, Guarded, Interests},
    field_sets::FieldSets,
    index::Key,
    packed::Packed,
    scope::Scope,
    warnings::{self, Warnings},
};
use crate::metrics::Metrics;

mod received;

/// Seconds after which a watch is reopened: below the idle limits of load balancers (240 s and more), so that
/// a connection that died silently is noticed.
const WATCH_SECONDS: u32 = 200;
/// Objects in a page of the first list. Small pages keep the peak of memory at the start low.
const PAGE: u32 = 20;

pub(crate) struct Triggers {
    /// Stacks whose spec, annotations or finalizers changed.
    pub(crate) stacks: BoxStream<'static, Result<Guarded, watcher::Error>>,
    /// Stacks for which an object changed that belongs to them or that they reference.
    pub(crate) related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

/// Opens every feed. No request is made before the streams are polled.
pub(crate) fn open(client: &Client, scope: &Scope, metrics: &Metrics) -> (Caches, Triggers) {
    let (stacks, writer) = reflector::store();
    let interests = Interests::default();
    let indexed = interests.clone();
    let changed = scope
        .watch::<Guarded>(client, &config(), present(&stacks))
        .modify(|stack: &mut Guarded| {
            prune::metadata(stack.meta_mut());
            stack.meta_mut().managed_fields = None;
        })
        .reflect(writer)
        .inspect_ok(move |event| indexed.receive(event))
        .touched_objects()
        .predicate_filter(
            predicates::generation.combine(predicates::annotations).combine(deletion),
            PredicateConfig::default(),
        );
    let changed = with_competitors(changed, interests.clone(), stacks.clone());
    let mut feeds = Feeds {
        client,
        scope,
        metrics,
        stacks: stacks.clone(),
        interests: interests.clone(),
        field_sets: FieldSets::default(),
        managed: Vec::new(),
        related: SelectAll::new(),
    };
    visit_kinds(&mut feeds);
    let pods = Packed::new(caches::keys_of_pod);
    feeds.labelled(prune::pod, &pods);
    let storage_classes = feeds.classes(prune::storage_class);
    let ingress_classes = feeds.classes(prune::ingress_class);
    let namespaces = scope.selector.as_deref().map(|selector| feeds.namespaces(selector));
    feeds.referenced_secrets();
    let warnings = feeds.warnings();
    let Feeds { managed, related, field_sets, .. } = feeds;
    (
        Caches {
            stacks,
            interests,
            managed,
            pods,
            storage_classes,
            ingress_classes,
            warnings,
            field_sets,
            namespaces,
        },
        Triggers { stacks: changed.boxed(), related },
    )
}

fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE)
}

fn labelled() -> watcher::Config {
    config().labels(&labels::watch_selector())
}

/// What a store has of a namespace.
fn present<K>(store: &Store<K>) -> impl Fn(&str) -> Vec<K> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let store = store.clone();
    move |namespace| {
        let those = store.state_filter(|object| object.meta().namespace.as_deref() == Some(namespace));
        those.iter().map(|object| K::clone(object)).collect()
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
    interests: Interests,
    stacks: Store<Guarded>,
) -> impl Stream<Item = Result<Guarded, E>> {
    changed.flat_map(move |changed| {
        let competitors = match &changed {
            Ok(DeserializeGuard(Ok(stack))) => {
                let mut others = interests.competitors(stack, &stacks);
                others.retain(|other| other.meta().uid != stack.metadata.uid);
                others
            }
            _ => Vec::new(),
        };
        let competitors = competitors.into_iter().map(|other| Ok(Guarded::clone(&other)));
        futures::stream::iter(std::iter::once(changed).chain(competitors))
    })
}

struct Feeds<'a> {
    client: &'a Client,
    scope: &'a Scope,
    metrics: &'a Metrics,
    stacks: Store<Guarded>,
    interests: Interests,
    field_sets: FieldSets,
    managed: Vec<Arc<dyn Cache>>,
    related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

impl KindVisitor for Feeds<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        let index = Packed::new(caches::keys::<K>);
        self.labelled(K::prune, &index);
        self.managed.push(Arc::new(index));
    }

    fn cluster<K: ManagedKind>(&mut self) {
        if !self.scope.has_cluster_access {
            return;
        }
        let index = Packed::new(caches::keys::<K>);
        let events = watcher(Api::all(self.client.clone()), labelled()).default_backoff();
        self.keep(events, K::prune, &index);
        self.managed.push(Arc::new(index));
    }
}

impl Feeds<'_> {
    /// Objects that carry the operator's label; each names its stack.
    fn labelled<K: Watched + Resource<Scope = NamespaceResourceScope>>(
        &mut self,
        prune: fn(&mut K),
        index: &Packed<K>,
    ) {
        let (kept, client) = (index.clone(), self.client);
        let present = move |namespace: &str| {
            let all = kept.all().into_iter();
            let there = all.filter(|object| object.meta().namespace.as_deref() == Some(namespace));
            there.map(|object| K::clone(&object)).collect()
        };
        let events = self.scope.watch(client, &labelled(), present);
        self.keep(events, prune, index);
    }

    fn keep<K: Watched>(
        &mut self,
        events: impl Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send + 'static,
        prune: fn(&mut K),
        index: &Packed<K>,
    ) {
        let (shard, index, field_sets) = (self.scope.shard, index.clone(), self.field_sets.clone());
        let events = events.try_filter(move |event| future::ready(is_served(shard, event)));
        let events = events.modify(move |object| {
            prune(object);
            field_sets.intern(object.meta_mut());
        });
        let events = events.inspect_ok(move |event| index.receive(event)).touched_objects();
        let related = received(&K::kind(&()), events, self.metrics.clone())
            .filter_map(|object| future::ready(stack_of(object.meta())));
        self.related.push(related.boxed());
    }

    /// Classes are cluster-scoped, few and rarely changed, and each may concern every stack.
    fn classes<K: Watched>(&mut self, prune: fn(&mut K)) -> Store<K> {
        let (reader, mut writer) = reflector::store();
        if !self.scope.has_cluster_access {
            writer.apply_watcher_event(&watcher::Event::InitDone);
            return reader;
        }
        let api = Api::all(self.client.clone());
        let events = watcher(api, config()).default_backoff().modify(prune).reflect(writer).touched_objects();
        let stacks = self.stacks.clone();
        let related = received(&K::kind(&()), events, self.metrics.clone()).flat_map(move |_| {
            let all: Vec<_> =
                stacks.state().iter().map(|stack| ObjectRef::from_obj(stack.as_ref())).collect();
            futures::stream::iter(all)
        });
        self.related.push(related.boxed());
        reader
    }

    /// The namespaces with the labels of the scope. One that loses them leaves the store.
    fn namespaces(&mut self, selector: &str) -> Store<PartialObjectMeta<Namespace>> {
        let (reader, writer) = reflector::store();
        let api = Api::<PartialObjectMeta<Namespace>>::all(self.client.clone());
        let events = watcher(api, config().labels(selector)).default_backoff();
        let events = events.modify(|it| it.metadata.managed_fields = None).reflect(writer).touched_objects();
        let stacks = self.stacks.clone();
        let related = received("Namespace", events, self.metrics.clone()).flat_map(move |namespace| {
            let is_there = |stack: &Guarded| stack.meta().namespace == namespace.metadata.name;
            let there = stacks.state_filter(is_there);
            futures::stream::iter(there.into_iter().map(|stack| ObjectRef::from_obj(stack.as_ref())))
        });
        self.related.push(related.boxed());
        reader
    }

    /// Users' Secrets: only their metadata is watched, and nothing of them is kept. Helm's release Secrets
    /// are excluded by type, since they are large and many.
    fn referenced_secrets(&mut self) {
        let config = config().fields("type!=helm.sh/release.v1");
        // Of those that are gone nothing is kept either.
        let events = self.scope.watch::<PartialObjectMeta<Secret>>(self.client, &config, |_| Vec::new());
        let events = events.touched_objects();
        let interests = self.interests.clone();
        let related = received("Secret", events, self.metrics.clone()).flat_map(move |secret| {
            let ObjectMeta { namespace, name, .. } = secret.metadata;
            let key = namespace.zip(name).map(|(namespace, name)| Key::Secret(namespace, name));
            futures::stream::iter(interests.find(key))
        });
        self.related.push(related.boxed());
    }

    /// One watch for the Events that explain why objects of stacks fail. The API server keeps no cache of
    /// Events: each LIST of them would be read from etcd.
    fn warnings(&mut self) -> Warnings {
        let warnings = Warnings::default();
        let kept = warnings.clone();
        let present = move |namespace: &str| kept.of_namespace(namespace);
        let events = self.scope.watch(self.client, &config().fields(warnings::SELECTOR), present);
        let (received_by, stacks) = (warnings.clone(), self.stacks.clone());
        let events = events.map_ok(move |event| received_by.receive(event, &stacks));
        let related = received("Event", events, self.metrics.clone()).flat_map(futures::stream::iter);
        self.related.push(related.boxed());
        warnings
    }
}

#[cfg(test)]
mod tests;
