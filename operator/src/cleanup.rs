//! The finalizer: set where the deletion of a stack has work that no owner reference can do, which is one case, a
//! PersistentVolume of ours (cluster-scoped) under `deletionPolicy: Delete`.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;
use todostack_crds::{DeletionPolicy, FIELD_MANAGER, FINALIZER, GROUP, TodoStack, VERSION};

use crate::{context::Context, names};

/// Why the finalizer or the deletion failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The finalizer could not be set or taken away.
    #[error("failed to write the finalizer of TodoStack {0}")]
    Finalizer(String, #[source] kube::Error),
    /// The volume or its claim could not be deleted.
    #[error("failed to delete {0}")]
    Delete(String, #[source] kube::Error),
}

/// Whether the deletion of the stack has work of ours.
fn has_work(stack: &TodoStack) -> bool {
    let storage =
        stack.spec.database.as_ref().and_then(|database| database.postgres.as_ref()?.storage.as_ref());
    stack.spec.deletion_policy == DeletionPolicy::Delete
        && storage.is_some_and(|storage| storage.nfs.is_some())
}

/// Sets or takes away the finalizer, as the spec says now.
pub async fn guard(context: &Context, stack: &TodoStack) -> Result<(), Error> {
    let guarded = stack.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
    match (has_work(stack), guarded) {
        (true, false) => write(context, stack, &[FINALIZER]).await,
        (false, true) => write(context, stack, &[]).await,
        (true, true) | (false, false) => Ok(()),
    }
}

/// Does what is left to do for a stack that is being deleted. The volume goes when its claim does, and the claim when
/// the garbage collector has ended the pod that uses it; nothing here waits, so no namespace hangs on it.
pub async fn cleanup(context: &Context, stack: &TodoStack) -> Result<(), Error> {
    if !stack.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        return Ok(());
    }
    let namespace = stack.namespace().unwrap_or_default();
    let name = stack.name_any();
    if has_work(stack) {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &namespace);
        delete(&claims, &names::database(&name)).await?;
        let volumes: Api<PersistentVolume> = Api::all(context.client.clone());
        delete(&volumes, &names::volume(&namespace, &name)).await?;
    }
    write(context, stack, &[]).await
}

async fn delete<K>(api: &Api<K>, name: &str) -> Result<(), Error>
where
    K: crate::children::Child + Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let described = || format!("{} {name}", K::kind(&()));
    let found = api.get_metadata_opt(name).await.map_err(|source| Error::Delete(described(), source))?;
    let Some(found) = found.filter(|found| crate::watch::is_ours(&found.metadata)) else { return Ok(()) };
    let of_this = Preconditions { uid: found.metadata.uid, resource_version: None };
    match api.delete(name, &DeleteParams::background().preconditions(of_this)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(()),
        Err(source) => Err(Error::Delete(described(), source)),
    }
}

/// The uid keeps an apply to a stack that is gone from making a new one.
async fn write(context: &Context, stack: &TodoStack, finalizers: &[&str]) -> Result<(), Error> {
    let namespace = stack.namespace().unwrap_or_default();
    let name = stack.name_any();
    let api: Api<TodoStack> = Api::namespaced(context.client.clone(), &namespace);
    let patch = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "TodoStack",
        "metadata": {"uid": stack.metadata.uid, "finalizers": finalizers},
        "spec": {},
    });
    let parameters = PatchParams::apply(&format!("{FIELD_MANAGER}-finalizer")).force();
    match api.patch_metadata(&name, &parameters, &Patch::Apply(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error::Finalizer(format!("{namespace}/{name}"), source)),
    }
}
