//! The key by which a managed object is known within its stack: kind and name. Which kinds there are is in
//! the table.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt as _;

use super::{Kind, ManagedKind};

/// Kind and name of a managed object. The namespace is the stack's, or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub kind: Kind,
    pub name: String,
}

impl Key {
    /// The key of an object by its type.
    pub fn new<K: ManagedKind>(name: String) -> Self {
        Self { kind: K::KIND, name }
    }

    pub fn from_object<K: ManagedKind>(object: &K) -> Self {
        Self::new::<K>(object.name_any())
    }

    /// The reference by which an Event points to the object.
    pub fn reference(&self, namespace: &str) -> ObjectReference {
        let resource = self.kind.api_resource();
        ObjectReference {
            api_version: Some(resource.api_version),
            kind: Some(resource.kind),
            name: Some(self.name.clone()),
            namespace: self.kind.is_namespaced().then(|| namespace.to_owned()),
            ..ObjectReference::default()
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", <&str>::from(self.kind), self.name)
    }
}
