//! Observed state of one stack, and the one way to put it together: the operator passes what its caches hold,
//! the plugin what it lists, the captures what a file holds. Reading is the caller's.

use std::sync::Arc;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ConfigMap, Event, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service},
        networking::v1::{Ingress, IngressClass},
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Resource, ResourceExt as _};
use todostack_crds::TodoStack;

use self::{
    conflicts::{ExportHolder, Neighbors},
    origin::{Origin, concerns, origin},
};
use crate::{
    diagnose::is_default_ingress_class,
    labels,
    managed::{self, Inventory, Key, ManagedObjects},
    names,
    requirements::Requirements,
    stack_ref::StackRef,
};

pub mod claim;
pub mod conflicts;
pub mod origin;
pub mod probe_failures;
pub mod subjects;

/// Objects that a stack is observed in. It may hold objects of other stacks too.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub managed: ManagedObjects,
    pub pods: Vec<Arc<Pod>>,
    pub storage_classes: Vec<Arc<StorageClass>>,
    pub ingress_classes: Vec<Arc<IngressClass>>,
}

#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub superuser: Option<Arc<Secret>>,
    pub app: Option<Arc<Secret>>,
    /// The credentials that the server is yet to accept.
    pub next: Option<Arc<Secret>>,
    /// PersistentVolumeClaim of Postgres or of SQLite.
    pub claim: Option<Arc<PersistentVolumeClaim>>,
    /// The managed PersistentVolume of an NFS export.
    pub volume: Option<Arc<PersistentVolume>>,
    /// The PersistentVolume that the claim names, managed or not. While there is no claim, the one that
    /// the last status names.
    pub data_volume: Option<Arc<PersistentVolume>>,
    pub stateful_set: Option<Arc<StatefulSet>>,
    pub deployment: Option<Arc<Deployment>>,
    /// Whether the replicas of the Deployment are those of a HorizontalPodAutoscaler.
    pub autoscaled: bool,
    /// Migration Jobs of all images, by name.
    pub jobs: Vec<Arc<Job>>,
    pub api_service: Option<Arc<Service>>,
    pub ingress: Option<Arc<Ingress>>,
    /// All pods of the stack, by name.
    pub pods: Vec<Arc<Pod>>,
    /// Events of objects that do not become ready.
    pub events: Vec<Event>,
    pub referenced: Referenced,
    pub storage_classes: Vec<Arc<StorageClass>>,
    pub ingress_classes: Vec<Arc<IngressClass>>,
    /// Who else uses the same export.
    pub export_conflict: Option<ExportHolder>,
    /// The stack that has the same host, as `namespace/name`.
    pub host_conflict: Option<String>,
    /// Metadata of the managed objects that exist.
    pub inventory: Inventory,
    /// Objects with a name that the stack needs which the operator did not create.
    pub foreign: Vec<Key>,
    /// Objects of an earlier stack of the same name, which the garbage collector deletes.
    pub leftover: Vec<Key>,
    /// Whether the operator may not use cluster-scoped objects, so that what it knows of them is nothing.
    pub confined: bool,
    /// Whether the caches lack a recent write of the operator.
    pub lagging: bool,
}

/// The objects of `requirements::References` that are not watched.
#[derive(Clone, Debug, Default)]
pub struct Referenced {
    pub credentials: Lookup<Secret>,
    pub external: Lookup<Secret>,
    pub tls: Lookup<Secret>,
    pub init_scripts: Lookup<ConfigMap>,
    pub jwks_ca: Lookup<ConfigMap>,
}

impl Referenced {
    /// Whether the stack waits for an object that no watch delivers.
    pub fn lacks_unwatched(&self) -> bool {
        [&self.init_scripts, &self.jwks_ca].iter().any(|lookup| matches!(lookup, Lookup::Missing(_)))
    }
}

/// Result of looking up an object that a spec may reference.
#[derive(Clone, Debug, Default)]
pub enum Lookup<K> {
    /// The spec references none.
    #[default]
    NotNamed,
    /// The object of this name does not exist.
    Missing(String),
    Found(Box<K>),
}

impl Lookup<Secret> {
    /// Without the private key of a certificate, which nothing reads. Whether there is one stays known.
    #[must_use]
    pub fn without_private_key(mut self) -> Self {
        if let Self::Found(secret) = &mut self
            && let Some(key) = secret.data.as_mut().and_then(|data| data.get_mut("tls.key"))
        {
            key.0.clear();
        }
        self
    }
}

impl Observed {
    /// The observed state of `stack` in `listing`.
    pub fn new(stack: &StackRef, requirements: &Requirements<'_>, listing: &Listing) -> Self {
        let StackRef { namespace, name, .. } = stack;
        let Listing { managed, pods, storage_classes, ingress_classes } = listing;
        // A stack that was deleted may have left a claim of another kind of database.
        let claim = if requirements.is_sqlite() { names::sqlite_claim(name) } else { names::database(name) };
        let mut observed = Self {
            superuser: find(stack, &managed.secrets, &names::superuser_secret(name)),
            app: find(stack, &managed.secrets, &names::app_secret(name)),
            next: find(stack, &managed.secrets, &names::next_secret(name)),
            claim: find(stack, &managed.claims, &claim),
            volume: find(stack, &managed.volumes, &names::volume(namespace, name)),
            stateful_set: find(stack, &managed.stateful_sets, &names::database(name)),
            deployment: find(stack, &managed.deployments, &names::api(name)),
            jobs: by_name(&managed.jobs, |job| is_own(stack, job)),
            api_service: find(stack, &managed.services, &names::api(name)),
            ingress: find(stack, &managed.ingresses, &names::ingress(name)),
            // Their controllers create them, so only labels say whose they are.
            pods: by_name(pods, |pod| labels::stack_of(pod) == Some((namespace.as_str(), name.as_str()))),
            storage_classes: storage_classes.clone(),
            ingress_classes: ingress_classes.clone(),
            ..Self::default()
        };
        for (key, metadata) in managed.metadata().filter(|(_, metadata)| concerns(stack, metadata)) {
            match origin(stack, metadata) {
                Origin::Own => observed.inventory.insert(key, metadata.clone()),
                Origin::Earlier => observed.leftover.push(key),
                // Only one with a name that the stack needs matters: it is missing here, and read by name.
                Origin::Foreign => {}
            }
        }
        observed
    }

    /// Name of the volume of the data, which `data_volume` is to have.
    pub fn data_volume_name<'a>(&'a self, todostack: &'a TodoStack) -> Option<&'a str> {
        match self.claim.as_deref() {
            Some(claim) => claim::volume(claim),
            None => todostack.status.as_ref()?.storage.as_ref()?.volume.as_deref(),
        }
    }

    /// Adds an object that the spec asks for and that the listing lacks.
    pub fn add_unlisted(&mut self, stack: &StackRef, key: Key, metadata: ObjectMeta) {
        match origin(stack, &metadata) {
            Origin::Own => self.inventory.insert(key, metadata),
            Origin::Earlier => self.leftover.push(key),
            Origin::Foreign => self.foreign.push(key),
        }
    }

    /// Adds which of the neighbors has the export or the host of `todostack`.
    pub fn add_conflicts(&mut self, todostack: &TodoStack, neighbors: Neighbors<'_>) {
        let default = self.ingress_classes.iter().find(|class| is_default_ingress_class(class));
        let default = default.and_then(|class| class.metadata.name.as_deref());
        self.export_conflict = conflicts::export(neighbors, todostack);
        self.host_conflict = conflicts::host(neighbors, todostack, default);
    }

    /// Keys of the objects that the spec asks for and that are not known to exist.
    pub fn missing(&self, stack: &StackRef, requirements: &Requirements<'_>) -> Vec<Key> {
        let mut expected = managed::expected(stack, requirements);
        expected.retain(|key| !self.inventory.contains(key) && !self.leftover.contains(key));
        expected.retain(|key| key.kind.is_namespaced() || !self.confined);
        expected
    }
}

fn is_own(stack: &StackRef, metadata: &ObjectMeta) -> bool {
    concerns(stack, metadata) && origin(stack, metadata) == Origin::Own
}

/// The chosen objects, by name.
fn by_name<K>(objects: &[Arc<K>], is_chosen: impl Fn(&ObjectMeta) -> bool) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()>,
{
    let mut found: Vec<_> =
        objects.iter().filter(|object| is_chosen(object.meta())).map(Arc::clone).collect();
    found.sort_by_key(|object| object.name_any());
    found
}

/// The stack's own object of this name.
fn find<K>(stack: &StackRef, objects: &[Arc<K>], name: &str) -> Option<Arc<K>>
where
    K: Resource<DynamicType = ()>,
{
    let is_it = |metadata: &ObjectMeta| {
        metadata.name.as_deref() == Some(name) && origin(stack, metadata) == Origin::Own
    };
    objects.iter().find(|object| is_it(object.meta())).map(Arc::clone)
}
