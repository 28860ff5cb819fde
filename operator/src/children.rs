//! The kinds of children, the keys they are known by, and which a spec asks for. What they hold lives in `resources/`.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
};
use kube::{Resource, ResourceExt as _, api::ObjectMeta, core::ApiResource};
use strum::IntoStaticStr;
use todostack_crds::TodoStack;

use crate::names;

/// The kinds of children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
pub enum Kind {
    /// Credentials.
    Secret,
    /// The pods' account.
    ServiceAccount,
    /// DNS names.
    Service,
    /// The data's claim.
    PersistentVolumeClaim,
    /// The data's volume on NFS.
    PersistentVolume,
    /// The database.
    StatefulSet,
    /// The migration.
    Job,
    /// The API.
    Deployment,
    /// The way in.
    Ingress,
}

/// A type that is a child of a stack.
pub trait Child: Resource<DynamicType = ()> {
    /// Its kind.
    const KIND: Kind;
}

macro_rules! children {
    ($($kind:ident),*) => { $(impl Child for $kind { const KIND: Kind = Kind::$kind; })* };
}
children!(
    Secret,
    ServiceAccount,
    Service,
    PersistentVolumeClaim,
    PersistentVolume,
    StatefulSet,
    Job,
    Deployment,
    Ingress
);

/// A child of one stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of a child by its type.
    #[must_use]
    pub fn of<K: Child>(name: String) -> Self {
        Self { kind: K::KIND, name }
    }

    /// Whether its kind lives in a namespace.
    #[must_use]
    pub fn is_namespaced(&self) -> bool {
        self.kind != Kind::PersistentVolume
    }

    /// What an Event points to it by.
    #[must_use]
    pub fn reference(&self, namespace: &str) -> ObjectReference {
        let resource = self.resource();
        ObjectReference {
            api_version: Some(resource.api_version),
            kind: Some(resource.kind),
            name: Some(self.name.clone()),
            namespace: self.is_namespaced().then(|| namespace.to_owned()),
            ..ObjectReference::default()
        }
    }

    /// How the API server serves its kind.
    #[must_use]
    pub fn resource(&self) -> ApiResource {
        match self.kind {
            Kind::Secret => ApiResource::erase::<Secret>(&()),
            Kind::ServiceAccount => ApiResource::erase::<ServiceAccount>(&()),
            Kind::Service => ApiResource::erase::<Service>(&()),
            Kind::PersistentVolumeClaim => ApiResource::erase::<PersistentVolumeClaim>(&()),
            Kind::PersistentVolume => ApiResource::erase::<PersistentVolume>(&()),
            Kind::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
            Kind::Job => ApiResource::erase::<Job>(&()),
            Kind::Deployment => ApiResource::erase::<Deployment>(&()),
            Kind::Ingress => ApiResource::erase::<Ingress>(&()),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind: &'static str = self.kind.into();
        write!(f, "{kind} {}", self.name)
    }
}

/// Metadata of the children that there are.
#[derive(Clone, Debug, Default)]
pub struct Children(BTreeMap<Key, ObjectMeta>);

impl Children {
    /// Whether there is one.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// The metadata of one.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&ObjectMeta> {
        self.0.get(key)
    }

    /// Adds one, or replaces what is known of it.
    pub fn insert(&mut self, key: Key, metadata: ObjectMeta) {
        self.0.insert(key, metadata);
    }

    /// The keys of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Key> {
        self.0.keys().filter(move |key| key.kind == kind)
    }
}

/// The children that a spec asks for; Jobs are left out, since a hash in their names keeps them apart from others'.
#[must_use]
pub fn expected(stack: &TodoStack) -> Vec<Key> {
    let name = stack.name_any();
    let namespace = stack.namespace().unwrap_or_default();
    let mut keys = vec![
        Key::of::<ServiceAccount>(names::service_account(&name)),
        Key::of::<Deployment>(names::api(&name)),
        Key::of::<Service>(names::api(&name)),
    ];
    let database = stack.spec.database.as_ref();
    let sqlite = database.is_some_and(|database| database.sqlite.is_some());
    let external = database.is_some_and(|database| database.external.is_some());
    if sqlite {
        keys.push(Key::of::<PersistentVolumeClaim>(names::sqlite_claim(&name)));
    } else {
        keys.push(Key::of::<Secret>(names::app_secret(&name)));
    }
    if !sqlite && !external {
        keys.extend([
            Key::of::<Secret>(names::superuser_secret(&name)),
            Key::of::<Service>(names::database(&name)),
            Key::of::<PersistentVolumeClaim>(names::database(&name)),
            Key::of::<StatefulSet>(names::database(&name)),
        ]);
        let storage = database.and_then(|d| d.postgres.as_ref()).and_then(|p| p.storage.as_ref());
        if storage.is_some_and(|storage| storage.nfs.is_some()) {
            keys.push(Key::of::<PersistentVolume>(names::volume(&namespace, &name)));
        }
    }
    let exposure = stack.spec.exposure.as_ref();
    if exposure.is_some_and(|exposure| exposure.host.is_some() || exposure.ingress.is_some()) {
        keys.push(Key::of::<Ingress>(names::ingress(&name)));
    }
    keys
}
