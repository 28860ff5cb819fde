//! Writes the status where it differs, and tells what changed by an Event. The only writer of a `TodoStack`'s status.

use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::Event,
};
use serde_json::json;
use todostack_crds::{FIELD_MANAGER, GROUP, TodoStack, TodoStackStatus, VERSION};

use crate::context::Context;

/// Why a status was not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server did not take it.
    #[error("failed to write the status of TodoStack {namespace}/{name}")]
    Write {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// What the API server or the way to it said.
        source: kube::Error,
    },
}

/// What is published.
pub struct Change<'a> {
    /// What stands there.
    pub old: &'a TodoStackStatus,
    /// What has to stand there.
    pub new: TodoStackStatus,
    /// What tells of it.
    pub events: Vec<Event>,
}

/// Publishes the new status unless it is what stands there already.
pub async fn publish(context: &Context, stack: &TodoStack, change: Change<'_>) -> Result<(), Error> {
    let Change { old, new: status, events } = change;
    if *old == status {
        return Ok(());
    }
    let namespace = stack.namespace().unwrap_or_default();
    let name = stack.name_any();
    let api: Api<TodoStack> = Api::namespaced(context.client.clone(), &namespace);
    let patch = json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": "TodoStack", "status": status});
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let written = match api.patch_status(&name, &parameters, &Patch::Apply(&patch)).await {
        Ok(written) => written,
        // Deleted in the meantime: there is nobody left to tell.
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
        Err(source) => return Err(Error::Write { namespace, name, source }),
    };
    context.metrics.status_write();
    announce(context, stack, &events).await;
    context.memory.published(
        (&namespace, &name),
        written.metadata.resource_version,
        status,
        context.instant(),
    );
    Ok(())
}

/// Events of what changed.
async fn announce(context: &Context, stack: &TodoStack, events: &[Event]) {
    for event in events {
        // An Event is a courtesy: without it the status still says all, so the pass goes on.
        if let Err(error) = context.recorder.publish(event, &stack.object_ref(&())).await
            && !is_of_a_namespace_that_goes(&error)
        {
            tracing::warn!(stack.name = %stack.name_any(), error = %crate::chain::chain(&error), "Event was not published");
        }
    }
}

/// Nothing can be made in a namespace that is being deleted, and nobody reads there any more.
fn is_of_a_namespace_that_goes(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.message.contains("is being terminated"))
}
