//! What is watched: one feed a kind, pruned as it arrives, each with a backoff of its own (one broken watch must not
//! slow the others). The caches it fills are read by `observe` alone.

use std::{collections::BTreeMap, fmt::Debug, hash::Hash};

use futures::{Stream, StreamExt as _, future, stream::BoxStream, stream::SelectAll};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, IngressClass},
    storage::v1::StorageClass,
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::ObjectMeta,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        Predicate as _, PredicateConfig, WatchStreamExt as _, predicates,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use serde::de::DeserializeOwned;
use todostack_crds::{FIELD_MANAGER, TodoStack};

use crate::{labels, metrics::Metrics, prune, references};

/// A `TodoStack` as it is watched: one that cannot be read must not stop the others (kube issue 774).
pub type Guarded = DeserializeGuard<TodoStack>;

/// Seconds after which a watch is opened anew: below the idle limits of load balancers (240 s and more), so that a
/// connection which died silently is noticed.
const WATCH_SECONDS: u32 = 200;
/// Objects a page of the first list: keeps the peak of memory at the start low.
const PAGE: u32 = 50;

/// Stores that the feeds fill.
#[derive(Clone)]
pub struct Caches {
    /// All stacks.
    pub stacks: Store<Guarded>,
    /// Our Secrets.
    pub secrets: Store<Secret>,
    /// Our Services.
    pub services: Store<Service>,
    /// Our ServiceAccounts.
    pub service_accounts: Store<ServiceAccount>,
    /// Our claims.
    pub claims: Store<PersistentVolumeClaim>,
    /// Our volumes.
    pub volumes: Store<PersistentVolume>,
    /// Our StatefulSets.
    pub stateful_sets: Store<StatefulSet>,
    /// Our Deployments.
    pub deployments: Store<Deployment>,
    /// Our Jobs.
    pub jobs: Store<Job>,
    /// Our Ingresses.
    pub ingresses: Store<Ingress>,
    /// Pods of our Deployments, StatefulSets and Jobs.
    pub pods: Store<Pod>,
    /// All StorageClasses.
    pub storage_classes: Store<StorageClass>,
    /// All IngressClasses.
    pub ingress_classes: Store<IngressClass>,
}

impl Caches {
    /// Waits until every feed of children and classes has listed once: before that, what is missing from a cache may
    /// well be there. To be called once: a store wakes only the last that waits for it (kube-runtime 5.0, its
    /// `DelayedInit`), and the stacks' own store is waited for by the controller.
    pub async fn ready(&self) -> Result<(), reflector::store::WriterDropped> {
        let Self {
            stacks: _,
            secrets,
            services,
            service_accounts,
            claims,
            volumes,
            stateful_sets,
            deployments,
            jobs,
            ingresses,
            pods,
            storage_classes,
            ingress_classes,
        } = self;
        secrets.wait_until_ready().await?;
        services.wait_until_ready().await?;
        service_accounts.wait_until_ready().await?;
        claims.wait_until_ready().await?;
        volumes.wait_until_ready().await?;
        stateful_sets.wait_until_ready().await?;
        deployments.wait_until_ready().await?;
        jobs.wait_until_ready().await?;
        ingresses.wait_until_ready().await?;
        pods.wait_until_ready().await?;
        storage_classes.wait_until_ready().await?;
        ingress_classes.wait_until_ready().await
    }
}

/// The stream of the stacks themselves, and the merged stream of everything else that concerns one.
pub struct Triggers {
    /// Stacks whose spec, annotations or finalizers changed.
    pub stacks: BoxStream<'static, Result<Guarded, watcher::Error>>,
    /// Stacks that something else concerns.
    pub related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

/// Opens every feed. Nothing is read before the streams are polled.
pub fn open(client: &Client, namespace: Option<&str>, metrics: &Metrics) -> (Caches, Triggers) {
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
    let mut feeds = Feeds { stacks: stacks.clone(), metrics: metrics.clone(), related: SelectAll::new() };
    let by_label = || config().labels(&labels::watch_selector());
    let caches = Caches {
        secrets: feeds.children(scoped(client, namespace), by_label(), prune::secret),
        services: feeds.children(scoped(client, namespace), by_label(), prune::service),
        service_accounts: feeds.children(scoped(client, namespace), by_label(), prune::service_account),
        claims: feeds.children(scoped(client, namespace), by_label(), prune::claim),
        volumes: feeds.children(Api::all(client.clone()), by_label(), prune::volume),
        stateful_sets: feeds.children(scoped(client, namespace), by_label(), prune::stateful_set),
        deployments: feeds.children(scoped(client, namespace), by_label(), prune::deployment),
        jobs: feeds.children(scoped(client, namespace), by_label(), prune::job),
        ingresses: feeds.children(scoped(client, namespace), by_label(), prune::ingress),
        pods: feeds.children(scoped(client, namespace), by_label(), prune::pod),
        storage_classes: feeds.classes(Api::all(client.clone()), prune::storage_class),
        ingress_classes: feeds.classes(Api::all(client.clone()), prune::ingress_class),
        stacks,
    };
    feeds.referenced_secrets(scoped(client, namespace));
    (caches, Triggers { stacks: changed.boxed(), related: feeds.related })
}

fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE)
}

/// One namespace, or all.
#[must_use]
pub fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a predicate's signature")]
/// A stack that is being deleted has work, and its generation says so only sometimes.
fn deletion(stack: &Guarded) -> Option<u64> {
    Some(u64::from(stack.meta().deletion_timestamp.is_some()))
}

struct Feeds {
    stacks: Store<Guarded>,
    metrics: Metrics,
    related: SelectAll<BoxStream<'static, ObjectRef<Guarded>>>,
}

impl Feeds {
    /// Objects that carry our labels; each names its stack.
    fn children<K>(&mut self, api: Api<K>, config: watcher::Config, prune: fn(&mut K)) -> Store<K>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let (reader, writer) = reflector::store();
        let events = watcher(api, config).default_backoff().modify(prune).reflect(writer).touched_objects();
        let metrics = self.metrics.clone();
        let related =
            heard::<K, _>(events, metrics).filter_map(|child| future::ready(stack_of(child.meta())));
        self.related.push(related.boxed());
        reader
    }

    /// Cluster-wide classes: few, rarely changed, and each may concern every stack.
    fn classes<K>(&mut self, api: Api<K>, prune: fn(&mut K)) -> Store<K>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let (reader, writer) = reflector::store();
        let events = watcher(api, config()).default_backoff().modify(prune).reflect(writer).touched_objects();
        let stacks = self.stacks.clone();
        let related = heard::<K, _>(events, self.metrics.clone()).flat_map(move |_| {
            let all: Vec<_> =
                stacks.state().iter().map(|stack| ObjectRef::from_obj(stack.as_ref())).collect();
            futures::stream::iter(all)
        });
        self.related.push(related.boxed());
        reader
    }

    /// Secrets of the users': only their names are looked at, and nothing of them is kept. Helm's release Secrets are
    /// left out by type: they are large and many.
    fn referenced_secrets(&mut self, api: Api<PartialObjectMeta<Secret>>) {
        let config = config().fields("type!=helm.sh/release.v1");
        let events = watcher(api, config).default_backoff().touched_objects();
        let stacks = self.stacks.clone();
        let related =
            heard::<PartialObjectMeta<Secret>, _>(events, self.metrics.clone()).flat_map(move |secret| {
                let names = |stack: &Guarded| {
                    stack.0.as_ref().is_ok_and(|stack| references::names(stack, &secret.metadata))
                };
                let users: Vec<_> = stacks
                    .state_filter(names)
                    .iter()
                    .map(|stack| ObjectRef::from_obj(stack.as_ref()))
                    .collect();
                futures::stream::iter(users)
            });
        self.related.push(related.boxed());
    }
}

/// The objects of a watch; its errors are logged and counted here, and the watch goes on after a pause.
fn heard<K, S>(events: S, metrics: Metrics) -> impl Stream<Item = K> + Send + 'static
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
                tracing::warn!(object.kind = %kind, error = %crate::chain::chain(&error), "Watch was interrupted");
                None
            }
        })
    })
}

/// The stack that an object's labels name.
fn stack_of(metadata: &ObjectMeta) -> Option<ObjectRef<Guarded>> {
    let labels: &BTreeMap<String, String> = metadata.labels.as_ref()?;
    let name = labels.get(labels::STACK)?;
    let namespace = labels.get(labels::NAMESPACE).or(metadata.namespace.as_ref())?;
    Some(ObjectRef::new(name).within(namespace))
}

/// Looks an object up by name.
#[must_use]
pub fn cached<K>(store: &Store<K>, namespace: Option<&str>, name: &str) -> Option<std::sync::Arc<K>>
where
    K: Resource + Clone + 'static,
    K::DynamicType: Eq + Hash + Clone + Default,
{
    let reference = ObjectRef::new(name);
    store.get(&match namespace {
        Some(namespace) => reference.within(namespace),
        None => reference,
    })
}

/// Whether a field manager entry is ours.
#[must_use]
pub fn is_ours(metadata: &ObjectMeta) -> bool {
    let labelled = metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(labels::MANAGED_BY))
        .is_some_and(|manager| manager == FIELD_MANAGER);
    let applied =
        metadata.managed_fields.iter().flatten().any(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    labelled || applied
}

/// The stack's own name, for logs.
#[must_use]
pub fn display(stack: &Guarded) -> String {
    format!("{}/{}", stack.namespace().unwrap_or_default(), stack.name_any())
}
