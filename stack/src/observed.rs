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

use self::conflicts::{ExportHolder, Neighbors};
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
    /// The PersistentVolume that the claim names, whoever created it. While there is no claim, the one that
    /// the last status names.
    pub data_volume: Option<Arc<PersistentVolume>>,
    pub stateful_set: Option<Arc<StatefulSet>>,
    pub deployment: Option<Arc<Deployment>>,
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
        let mut inventory = Inventory::default();
        for (key, metadata) in managed.metadata().filter(|(_, metadata)| belongs_to(stack, metadata)) {
            inventory.insert(key, metadata.clone());
        }
        let here = Some(namespace.as_str());
        // A stack that was deleted may have left a claim of another kind of database.
        let claim = if requirements.is_sqlite() { names::sqlite_claim(name) } else { names::database(name) };
        Self {
            superuser: find(&managed.secrets, here, &names::superuser_secret(name)),
            app: find(&managed.secrets, here, &names::app_secret(name)),
            next: find(&managed.secrets, here, &names::next_secret(name)),
            claim: find(&managed.claims, here, &claim),
            volume: find(&managed.volumes, None, &names::volume(namespace, name)),
            stateful_set: find(&managed.stateful_sets, here, &names::database(name)),
            deployment: find(&managed.deployments, here, &names::api(name)),
            jobs: of_stack(stack, &managed.jobs),
            api_service: find(&managed.services, here, &names::api(name)),
            ingress: find(&managed.ingresses, here, &names::ingress(name)),
            pods: of_stack(stack, pods),
            storage_classes: storage_classes.clone(),
            ingress_classes: ingress_classes.clone(),
            inventory,
            ..Self::default()
        }
    }

    /// Name of the volume of the data, which `data_volume` is to have.
    pub fn data_volume_name<'a>(&'a self, todostack: &'a TodoStack) -> Option<&'a str> {
        match self.claim.as_deref() {
            Some(claim) => claim::volume(claim),
            None => todostack.status.as_ref()?.storage.as_ref()?.volume.as_deref(),
        }
    }

    /// Adds an object that the spec asks for and that the listing lacks: the operator's own, whose labels
    /// were removed, or a foreign one.
    pub fn add_unlisted(&mut self, key: Key, metadata: ObjectMeta) {
        if labels::is_managed(&metadata) {
            self.inventory.insert(key, metadata);
        } else {
            self.foreign.push(key);
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
        expected.retain(|key| !self.inventory.contains(key));
        expected
    }
}

fn belongs_to(stack: &StackRef, metadata: &ObjectMeta) -> bool {
    labels::is_managed(metadata) && labels::stack_of(metadata) == Some((&stack.namespace, &stack.name))
}

/// All objects of the stack, by name.
fn of_stack<K>(stack: &StackRef, objects: &[Arc<K>]) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()>,
{
    let mut found: Vec<_> =
        objects.iter().filter(|object| belongs_to(stack, object.meta())).map(Arc::clone).collect();
    found.sort_by_key(|object| object.name_any());
    found
}

fn find<K>(objects: &[Arc<K>], namespace: Option<&str>, name: &str) -> Option<Arc<K>>
where
    K: Resource<DynamicType = ()>,
{
    let found = objects.iter().find(|object| {
        let ObjectMeta { namespace: its_namespace, name: its_name, .. } = object.meta();
        its_namespace.as_deref() == namespace && its_name.as_deref() == Some(name)
    });
    found.filter(|object| labels::is_managed(object.meta())).map(Arc::clone)
}
