//! Step 1: everything there is to know about one stack, from the watch caches; the only step that reads.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ConfigMap, Event, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service},
    networking::v1::{Ingress, IngressClass},
    storage::v1::StorageClass,
};
use kube::{Api, Client, Resource, ResourceExt as _, runtime::reflector::Store};
use todostack_crds::TodoStack;

use crate::{
    children::{Child, Children, Key},
    context::Context,
    labels, names, references,
    watch::{Caches, cached},
};

pub mod events;
pub mod rivals;
mod unseen;

/// What was seen of one stack and around it.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Secret of the superuser.
    pub superuser: Option<Arc<Secret>>,
    /// Secret of the application's role.
    pub app: Option<Arc<Secret>>,
    /// The claim, of Postgres or of SQLite.
    pub claim: Option<Arc<PersistentVolumeClaim>>,
    /// The volume of ours, for NFS.
    pub volume: Option<Arc<PersistentVolume>>,
    /// The database's StatefulSet.
    pub stateful_set: Option<Arc<StatefulSet>>,
    /// The API's Deployment.
    pub deployment: Option<Arc<Deployment>>,
    /// Migration Jobs, of every image so far.
    pub jobs: Vec<Arc<Job>>,
    /// The API's Service.
    pub api_service: Option<Arc<Service>>,
    /// The Ingress.
    pub ingress: Option<Arc<Ingress>>,
    /// All pods of the stack.
    pub pods: Vec<Arc<Pod>>,
    /// Events of what does not come up.
    pub events: Vec<Event>,
    /// What the spec names.
    pub referenced: Referenced,
    /// All StorageClasses.
    pub storage_classes: Vec<Arc<StorageClass>>,
    /// All IngressClasses.
    pub ingress_classes: Vec<Arc<IngressClass>>,
    /// The older stack that uses the same export, as `namespace/name`.
    pub rival: Option<String>,
    /// The older stack that has the same host name, as `namespace/name`.
    pub host_rival: Option<String>,
    /// Metadata of every child of ours that there is.
    pub children: Children,
    /// Objects that have a name of ours and belong to someone else.
    pub foreign: Vec<Key>,
    /// Whether the watches have yet to bring what was written last.
    pub lagging: bool,
}

/// Objects of the user's that the spec names.
#[derive(Clone, Debug, Default)]
pub struct Referenced {
    /// `spec.database.postgres.credentialsSecret`.
    pub credentials: Lookup<Secret>,
    /// `spec.database.external.secret`.
    pub external: Lookup<Secret>,
    /// `spec.exposure.ingress.tls`.
    pub tls: Lookup<Secret>,
    /// `spec.database.postgres.initScripts`.
    pub init_scripts: Lookup<ConfigMap>,
}

/// An object that a spec may name.
#[derive(Clone, Debug, Default)]
pub enum Lookup<K> {
    /// The spec names none.
    #[default]
    NotNamed,
    /// There is none of this name.
    Missing(String),
    /// Here it is.
    Found(Box<K>),
}

/// Why a stack could not be observed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A GET or LIST failed.
    #[error("failed to read {kind} {namespace}/{name}")]
    Read {
        /// Kind of the object.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What the API server or the way to it said.
        source: kube::Error,
    },
}

/// Reads what concerns one stack.
pub async fn observe(context: &Context, stack: &TodoStack) -> Result<Observed, Error> {
    let name = stack.name_any();
    let namespace = stack.namespace().unwrap_or_default();
    let mut observed = from_caches(&context.caches, &name, &namespace);
    let stacks = context.caches.stacks.state();
    let readable = || stacks.iter().filter_map(|other| other.0.as_ref().ok());
    observed.rival = rivals::export(readable(), stack);
    observed.host_rival = rivals::host(readable(), stack);
    observed.referenced = referenced(&context.client, stack, &namespace).await?;
    observed.children = children(&context.caches, &namespace, &name);
    observed.lagging = context.memory.refresh((&namespace, &name), &mut observed.children, context.instant());
    unseen::look(context, stack, &mut observed).await?;
    observed.events = events::of_what_does_not_come_up(&context.client, &namespace, &observed).await?;
    Ok(observed)
}

fn from_caches(caches: &Caches, name: &str, namespace: &str) -> Observed {
    let here = Some(namespace);
    Observed {
        superuser: cached(&caches.secrets, here, &names::superuser_secret(name)),
        app: cached(&caches.secrets, here, &names::app_secret(name)),
        claim: cached(&caches.claims, here, &names::database(name))
            .or_else(|| cached(&caches.claims, here, &names::sqlite_claim(name))),
        volume: cached(&caches.volumes, None, &names::volume(namespace, name)),
        stateful_set: cached(&caches.stateful_sets, here, &names::database(name)),
        deployment: cached(&caches.deployments, here, &names::api(name)),
        jobs: labelled(&caches.jobs, namespace, name),
        api_service: cached(&caches.services, here, &names::api(name)),
        ingress: cached(&caches.ingresses, here, &names::ingress(name)),
        pods: labelled(&caches.pods, namespace, name),
        storage_classes: caches.storage_classes.state(),
        ingress_classes: caches.ingress_classes.state(),
        ..Observed::default()
    }
}

/// Metadata of every child that the watches have brought.
fn children(caches: &Caches, namespace: &str, stack: &str) -> Children {
    let mut children = Children::default();
    take(&mut children, &caches.secrets, (namespace, stack));
    take(&mut children, &caches.service_accounts, (namespace, stack));
    take(&mut children, &caches.services, (namespace, stack));
    take(&mut children, &caches.claims, (namespace, stack));
    take(&mut children, &caches.volumes, (namespace, stack));
    take(&mut children, &caches.stateful_sets, (namespace, stack));
    take(&mut children, &caches.jobs, (namespace, stack));
    take(&mut children, &caches.deployments, (namespace, stack));
    take(&mut children, &caches.ingresses, (namespace, stack));
    children
}

fn take<K: Child + Clone + 'static>(children: &mut Children, store: &Store<K>, stack: (&str, &str)) {
    let ours = |object: &K| {
        let is = |label: &str, value: &str| object.labels().get(label).is_some_and(|found| found == value);
        is(labels::NAMESPACE, stack.0) && is(labels::STACK, stack.1)
    };
    for object in store.state_filter(ours) {
        children.insert(Key::of::<K>(object.name_any()), object.meta().clone());
    }
}

/// All objects of a kind that belong to a stack, in the order of their names.
#[must_use]
pub fn labelled<K>(store: &Store<K>, namespace: &str, stack: &str) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let mut found = store.state_filter(|object: &K| {
        object.meta().namespace.as_deref() == Some(namespace)
            && object.labels().get(labels::STACK).is_some_and(|value| value == stack)
    });
    found.sort_by_key(|object| object.name_any());
    found
}

async fn referenced(client: &Client, stack: &TodoStack, namespace: &str) -> Result<Referenced, Error> {
    let references::References { credentials, external, tls, init_scripts } = references::of(&stack.spec);
    Ok(Referenced {
        credentials: look_up(client, namespace, credentials).await?,
        external: look_up(client, namespace, external).await?,
        tls: look_up(client, namespace, tls).await?,
        init_scripts: look_up(client, namespace, init_scripts).await?,
    })
}

async fn look_up<K>(client: &Client, namespace: &str, name: Option<&str>) -> Result<Lookup<K>, Error>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let Some(name) = name else { return Ok(Lookup::NotNamed) };
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    match api.get_opt(name).await {
        Ok(Some(object)) => Ok(Lookup::Found(Box::new(object))),
        Ok(None) => Ok(Lookup::Missing(name.to_owned())),
        Err(source) => Err(Error::Read {
            kind: K::kind(&()).into_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            source,
        }),
    }
}
