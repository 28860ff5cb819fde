//! The identity of one stack, taken from its metadata once. What the stack asks for is in `requirements.rs`.

use k8s_openapi::{
    api::core::v1::ObjectReference,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::Resource as _;
use todostack_crds::TodoStack;

/// Identity of a `TodoStack`, as the API server stored it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StackRef {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// `metadata.generation` of the spec that is reconciled.
    pub generation: i64,
}

/// The API server gave a `TodoStack` without a field that every stored object has.
#[derive(Debug, thiserror::Error)]
#[error("failed to identify a TodoStack without {0}")]
pub struct Incomplete(&'static str);

impl TryFrom<&TodoStack> for StackRef {
    type Error = Incomplete;

    fn try_from(stack: &TodoStack) -> Result<Self, Incomplete> {
        let ObjectMeta { namespace, name, uid, generation, .. } = &stack.metadata;
        Ok(Self {
            namespace: namespace.clone().ok_or(Incomplete("metadata.namespace"))?,
            name: name.clone().ok_or(Incomplete("metadata.name"))?,
            uid: uid.clone().ok_or(Incomplete("metadata.uid"))?,
            generation: generation.ok_or(Incomplete("metadata.generation"))?,
        })
    }
}

impl StackRef {
    /// The owner reference that makes the garbage collector delete an object with the stack.
    pub fn owner_reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: TodoStack::api_version(&()).into_owned(),
            kind: TodoStack::kind(&()).into_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// The reference by which an Event points to the stack.
    pub fn object_reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(TodoStack::api_version(&()).into_owned()),
            kind: Some(TodoStack::kind(&()).into_owned()),
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }
}

impl std::fmt::Display for StackRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
