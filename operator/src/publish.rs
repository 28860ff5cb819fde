//! Writes the status where it differs, and an Event for each transition. The only writer of a `TodoStack`'s
//! status.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api,
    api::{Patch, PatchParams},
    runtime::events::{Event, EventType},
};
use serde_json::json;
use todostack_crds::{FIELD_MANAGER, GROUP, TodoStack, TodoStackStatus, VERSION};
use todostack_stack::{
    error_chain::one_line, interruption::Interruption, stack_ref::StackRef, transitions::Transition,
};

use crate::{clock, context::Context};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API server did not accept it.
    #[error("failed to write the status of TodoStack {0}")]
    Write(StackRef, #[source] kube::Error),
}

pub(crate) async fn publish(
    context: &Context,
    stack: &StackRef,
    status: TodoStackStatus,
    transitions: Vec<Transition>,
) -> Result<(), Error> {
    let api: Api<TodoStack> = Api::namespaced(context.client.clone(), &stack.namespace);
    let patch = json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": "TodoStack", "status": status});
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let written = match api.patch_status(&stack.name, &parameters, &Patch::Apply(&patch)).await {
        Ok(written) => written,
        // The stack was deleted in the meantime.
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
        Err(source) => return Err(Error::Write(stack.clone(), source)),
    };
    context.metrics.status_write();
    for transition in transitions {
        emit(context, stack, transition).await;
    }
    context.recent_writes.published(stack, written.metadata.resource_version, status, clock::instant());
    Ok(())
}

/// Publishes why a reconcile ended early, once as long as it stays the same.
pub(crate) async fn interruption(
    context: &Context,
    todostack: &TodoStack,
    interruption: &Interruption,
) -> Result<(), Error> {
    let Ok(stack) = StackRef::try_from(todostack) else { return Ok(()) };
    let old = context.recent_writes.status(&stack, todostack, clock::instant());
    let new = interruption.status(&old, clock::now());
    if new == old {
        return Ok(());
    }
    publish(context, &stack, new, interruption.transition(&old).into_iter().collect()).await
}

/// The status holds all that an Event says, so the reconcile goes on without it.
pub(crate) async fn emit(context: &Context, stack: &StackRef, transition: Transition) {
    emit_on(context, &stack.object_reference(), transition).await;
}

/// As `emit`, for a stack of which only the reference is known.
pub(crate) async fn emit_on(context: &Context, stack: &ObjectReference, transition: Transition) {
    let Transition { is_warning, reason, note, action, related } = transition;
    let event = Event {
        type_: if is_warning { EventType::Warning } else { EventType::Normal },
        reason: reason.to_owned(),
        note: Some(note),
        action: action.to_owned(),
        secondary: related,
    };
    if let Err(error) = context.recorder.publish(&event, stack).await
        && !is_namespace_terminating(&error)
    {
        let (namespace, name) = (stack.namespace.as_deref(), stack.name.as_deref());
        tracing::warn!(stack.namespace = namespace, stack.name = name, error = %one_line(&error), "Event was not published");
    }
}

/// Nothing can be created in a namespace that is being deleted.
fn is_namespace_terminating(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.message.contains("is being terminated"))
}
