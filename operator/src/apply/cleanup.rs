//! The finalizer of a stack, and the deletion of its data under `deletionPolicy: Delete`. Data (claims, the
//! PersistentVolume, Secrets) has no owner reference: the garbage collector never deletes it.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};
use todostack_crds::{FIELD_MANAGER, FINALIZER, TodoStack};
use todostack_stack::{
    labels,
    managed::{self, Key, Kind},
    observed::{
        claim,
        origin::{Origin, origin},
    },
    reclaim,
    requirements::Requirements,
    stack_ref::StackRef,
};

use super::reclaim_policy;
use crate::context::Context;

/// Why the finalizer or the deletion failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to write the finalizer of TodoStack {0}")]
    Finalizer(StackRef, #[source] kube::Error),
    /// The volume, its claim or a Secret could not be deleted.
    #[error("failed to delete {0}")]
    Delete(String, #[source] kube::Error),
}

/// Sets or removes the finalizer, as the spec needs it. A conflict is an error, so that no data is created
/// before the finalizer exists.
pub(crate) async fn guard(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    requirements: &Requirements<'_>,
) -> Result<(), Error> {
    let finalizers: Vec<_> = match (requirements.needs_finalizer(), has_finalizer(todostack)) {
        (true, false) => others(todostack).chain([FINALIZER]).collect(),
        (false, true) => others(todostack).collect(),
        (true, true) | (false, false) => return Ok(()),
    };
    patch(context, todostack, &json!({ "finalizers": finalizers }))
        .await
        .map_err(|source| Error::Finalizer(id.clone(), source))
}

/// Deletes the data of a deleted stack if its policy says so, and removes the finalizer. The volume goes when
/// its claim does, and the claim when the garbage collector has deleted the pod that uses it. Nothing here
/// waits, so no namespace hangs.
pub(crate) async fn cleanup(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    requirements: &Requirements<'_>,
) -> Result<(), Error> {
    if !has_finalizer(todostack) {
        return Ok(());
    }
    let outcome = async {
        if requirements.needs_finalizer() {
            // The policy may have changed to Retain since the watch delivered this version.
            patch(context, todostack, &json!({}))
                .await
                .map_err(|source| Error::Finalizer(id.clone(), source))?;
            delete_data(context, id, requirements).await?;
        }
        let finalizers: Vec<_> = others(todostack).collect();
        patch(context, todostack, &json!({ "finalizers": finalizers }))
            .await
            .map_err(|source| Error::Finalizer(id.clone(), source))
    };
    match outcome.await {
        // The stack is gone, or the watch delivers a newer version.
        Err(Error::Finalizer(_, kube::Error::Api(answer)))
            if answer.is_not_found() || answer.is_conflict() =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

async fn delete_data(context: &Context, id: &StackRef, requirements: &Requirements<'_>) -> Result<(), Error> {
    let has_access = context.config.cluster_access;
    let may_delete = |key: &Key| key.kind.is_namespaced() || has_access;
    for key in managed::data(id, requirements).into_iter().filter(may_delete) {
        delete(context, id, &key).await.map_err(|source| Error::Delete(key.to_string(), source))?;
    }
    Ok(())
}

/// Gives the volume of the stack's claim the reclaim policy of its class again, so that it is deleted with
/// the claim. Returns the claim's metadata.
async fn release_claim(
    context: &Context,
    id: &StackRef,
    name: &str,
) -> Result<Option<ObjectMeta>, kube::Error> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &id.namespace);
    let found = claims.get_opt(name).await?.filter(|found| is_data_of(&found.metadata, id));
    if let Some(claim) = &found
        && let Some(name) = claim::volume(claim).filter(|_| context.config.cluster_access)
    {
        let volumes: Api<PersistentVolume> = Api::all(context.client.clone());
        let volume = volumes.get_opt(name).await?.filter(|volume| reclaim::is_bound_to(volume, claim));
        if let Some(change) = volume.as_ref().and_then(reclaim::restored) {
            reclaim_policy::write(context, &change).await?;
        }
    }
    Ok(found.map(|found| found.metadata))
}

fn has_finalizer(todostack: &TodoStack) -> bool {
    todostack.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

fn others(todostack: &TodoStack) -> impl Iterator<Item = &str> {
    todostack.finalizers().iter().map(String::as_str).filter(|finalizer| *finalizer != FINALIZER)
}

async fn delete(context: &Context, id: &StackRef, key: &Key) -> Result<(), kube::Error> {
    let api = context.api(id, key.kind);
    let found = if key.kind == Kind::PersistentVolumeClaim {
        release_claim(context, id, &key.name).await?
    } else {
        api.get_metadata_opt(&key.name).await?.map(|found| found.metadata)
    };
    let Some(found) = found.filter(|found| is_data_of(found, id)) else { return Ok(()) };
    let preconditions = Preconditions { uid: found.uid, resource_version: None };
    match api.delete(&key.name, &DeleteParams::background().preconditions(preconditions)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(()),
        Err(source) => Err(source),
    }
}

/// Whether the operator applied the object for this stack. Data whose labels someone removed is kept too.
fn is_data_of(metadata: &ObjectMeta, id: &StackRef) -> bool {
    let label = |key| metadata.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str);
    label(labels::STACK) == Some(&id.name)
        && label(labels::NAMESPACE) == Some(&id.namespace)
        && origin(id, metadata) == Origin::Own
}

/// A merge patch of metadata of exactly this version of the stack. Unlike an apply, it removes a finalizer
/// that another manager has set, and it never creates a stack.
async fn patch(context: &Context, todostack: &TodoStack, changes: &Value) -> Result<(), kube::Error> {
    let api: Api<TodoStack> =
        Api::namespaced(context.client.clone(), &todostack.namespace().unwrap_or_default());
    let mut metadata = json!({"uid": todostack.uid(), "resourceVersion": todostack.resource_version()});
    if let (Some(metadata), Some(changes)) = (metadata.as_object_mut(), changes.as_object()) {
        metadata.extend(changes.clone());
    }
    let parameters =
        PatchParams { field_manager: Some(format!("{FIELD_MANAGER}-finalizer")), ..PatchParams::default() };
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    api.patch_metadata(&todostack.name_any(), &parameters, &patch).await.map(drop)
}
