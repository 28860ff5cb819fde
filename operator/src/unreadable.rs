//! Reports a `TodoStack` that cannot be read on the object itself: in its conditions and by an Event, once.
//! What they say is decided in `stack/`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Resource as _,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::error_boundary::InvalidObject,
};
use serde_json::json;
use todostack_crds::{FIELD_MANAGER, TodoStack};
use todostack_stack::unreadable;

use crate::{clock, context::Context, publish};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to read TodoStack {0}")]
    Read(String, #[source] kube::Error),
    #[error("failed to write the conditions of TodoStack {0}")]
    Write(String, #[source] kube::Error),
}

pub(crate) async fn report(context: &Context, invalid: &InvalidObject) -> Result<(), Error> {
    let InvalidObject { error, metadata } = invalid;
    let (namespace, name) =
        (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
    tracing::error!(stack.name = %format!("{namespace}/{name}"), error, "TodoStack cannot be read");
    let resource = ApiResource::erase::<TodoStack>(&());
    let stacks: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    // The guard of the watch keeps nothing but metadata.
    let found = stacks.get_opt(&name).await.map_err(|source| Error::Read(name.clone(), source))?;
    let Some(found) = found else { return Ok(()) };
    let mark = found.data.pointer("/status/operator").and_then(|mark| mark.as_str());
    if Box::pin(context.installation.other(&context.client, mark)).await.is_some() {
        return Ok(());
    }
    let old = conditions(&found);
    let new = unreadable::conditions(&old, error, metadata.generation, clock::now());
    if new == old {
        return Ok(());
    }
    let status = json!({"status": {"conditions": new, "observedGeneration": metadata.generation}});
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let written = stacks.patch_status(&name, &parameters, &Patch::Merge(status)).await;
    written.map_err(|source| Error::Write(name.clone(), source))?;
    context.metrics.status_write();
    if let Some(transition) = unreadable::transition(&old, error) {
        publish::emit_on(context, &found.object_ref(&resource), transition).await;
    }
    Ok(())
}

/// The conditions, as far as they can be read.
fn conditions(stack: &DynamicObject) -> Vec<Condition> {
    let conditions = stack.data.pointer("/status/conditions").and_then(|list| list.as_array());
    let conditions = conditions.into_iter().flatten();
    conditions.filter_map(|condition| serde_json::from_value(condition.clone()).ok()).collect()
}
