//! `release`: removes the operator's finalizer from a stack that is being deleted, for when the operator does
//! not run. What it prints is in `text/release.rs`.

use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::json;
use todostack_crds::{FINALIZER, TodoStack};
use todostack_stack::{
    managed::{self, Key},
    requirements::Requirements,
    stack_ref::StackRef,
};

use crate::{access::Access, error::Error};

/// A stack that waits for the operator, and its data and credentials, which stay without it.
pub(crate) struct Waiting {
    pub(crate) id: StackRef,
    /// What exists, and what the user may not read.
    pub(crate) kept: Vec<Key>,
    stack: TodoStack,
}

/// Fails unless the stack is being deleted and has the finalizer.
pub(crate) async fn find(access: &Access, stack: TodoStack) -> Result<Waiting, Error> {
    let id = StackRef::try_from(&stack)?;
    if stack.metadata.deletion_timestamp.is_none() {
        return Err(Error::NotDeleted(id));
    }
    if !stack.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        return Err(Error::OtherFinalizer(id, stack.finalizers().join(", ")));
    }
    let mut kept = Vec::new();
    for key in managed::data(&id, &Requirements::from(&stack.spec)) {
        if exists(access, &id, &key).await? {
            kept.push(key);
        }
    }
    Ok(Waiting { id, kept, stack })
}

async fn exists(access: &Access, id: &StackRef, key: &Key) -> Result<bool, Error> {
    let (client, resource) = (access.client.clone(), key.kind.api_resource());
    let api: Api<DynamicObject> = if key.kind.is_namespaced() {
        Api::namespaced_with(client, &id.namespace, &resource)
    } else {
        Api::all_with(client, &resource)
    };
    match api.get_metadata_opt(&key.name).await {
        Ok(found) => Ok(found.is_some()),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(true),
        Err(source) => Err(Error::read(key.to_string(), format!("in namespace {}", id.namespace), source)),
    }
}

/// Removes the finalizer, unless the stack changed since it was read.
pub(crate) async fn release(access: &Access, waiting: &Waiting) -> Result<(), Error> {
    let Waiting { id, stack, .. } = waiting;
    let others: Vec<_> = stack.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).collect();
    let patch = json!({"metadata": {
        "uid": id.uid, "resourceVersion": stack.resource_version(), "finalizers": others,
    }});
    let api: Api<TodoStack> = Api::namespaced(access.client.clone(), &id.namespace);
    match api.patch_metadata(&id.name, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => Ok(()),
        // The operator was faster.
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(()),
        Err(kube::Error::Api(answer)) => {
            Err(Error::NotReleased { stack: id.clone(), message: answer.message.clone() })
        }
        Err(source) => Err(Error::Unreachable(Box::new(source))),
    }
}
