//! The finalizer of a stack: set while the deletion of the stack has work that no owner reference can do. The
//! one case is a PersistentVolume, which is cluster-scoped, under `deletionPolicy: Delete`.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;
use todostack_crds::{FIELD_MANAGER, FINALIZER, GROUP, TodoStack, VERSION};
use todostack_stack::{labels, managed::ManagedKind, names, requirements::Requirements, stack_ref::StackRef};

use crate::context::Context;

/// Why the finalizer or the deletion failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to write the finalizer of TodoStack {0}")]
    Finalizer(StackRef, #[source] kube::Error),
    /// The volume or its claim could not be deleted.
    #[error("failed to delete {0}")]
    Delete(String, #[source] kube::Error),
}

/// Sets or removes the finalizer, as the spec needs it.
pub(crate) async fn guard(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    requirements: &Requirements<'_>,
) -> Result<(), Error> {
    match (requirements.needs_finalizer(), has_finalizer(todostack)) {
        (true, false) => write(context, id, &[FINALIZER]).await,
        (false, true) => write(context, id, &[]).await,
        (true, true) | (false, false) => Ok(()),
    }
}

/// Deletes what a deleted stack leaves behind, and removes the finalizer. The volume goes when its claim
/// does, and the claim when the garbage collector has deleted the pod that uses it. Nothing here waits, so no
/// namespace hangs.
pub(crate) async fn cleanup(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    requirements: &Requirements<'_>,
) -> Result<(), Error> {
    if !has_finalizer(todostack) {
        return Ok(());
    }
    if requirements.needs_finalizer() {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &id.namespace);
        delete(&claims, &names::database(&id.name)).await?;
        let volumes: Api<PersistentVolume> = Api::all(context.client.clone());
        delete(&volumes, &names::volume(&id.namespace, &id.name)).await?;
    }
    write(context, id, &[]).await
}

fn has_finalizer(todostack: &TodoStack) -> bool {
    todostack.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

async fn delete<K: ManagedKind>(api: &Api<K>, name: &str) -> Result<(), Error> {
    let failed = |source| Error::Delete(format!("{} {name}", K::kind(&())), source);
    let found = api.get_metadata_opt(name).await.map_err(failed)?;
    let Some(found) = found.filter(|found| labels::is_managed(&found.metadata)) else { return Ok(()) };
    let preconditions = Preconditions { uid: found.metadata.uid, resource_version: None };
    match api.delete(name, &DeleteParams::background().preconditions(preconditions)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(()),
        Err(source) => Err(failed(source)),
    }
}

/// The uid prevents that an apply to a deleted stack creates a new one.
async fn write(context: &Context, id: &StackRef, finalizers: &[&str]) -> Result<(), Error> {
    let api: Api<TodoStack> = Api::namespaced(context.client.clone(), &id.namespace);
    let patch = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "TodoStack",
        "metadata": {"uid": id.uid, "finalizers": finalizers},
        "spec": {},
    });
    let parameters = PatchParams::apply(&format!("{FIELD_MANAGER}-finalizer")).force();
    match api.patch_metadata(&id.name, &parameters, &Patch::Apply(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error::Finalizer(id.clone(), source)),
    }
}
