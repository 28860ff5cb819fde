//! Writes the status where it differs, and tells what changed by an Event. The only writer of a `TodoStack`'s status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::{Event, EventType},
};
use serde_json::json;
use todostack_crds::{ConditionType, FIELD_MANAGER, GROUP, Reason, TodoStack, TodoStackStatus, VERSION};

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

/// Publishes `status` unless it is what stands there already.
pub async fn publish(
    context: &Context,
    stack: &TodoStack,
    old: &TodoStackStatus,
    status: TodoStackStatus,
) -> Result<(), Error> {
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
    announce(context, stack, (ready(old), ready(&status))).await;
    context.memory.published(
        (&namespace, &name),
        written.metadata.resource_version,
        status,
        context.instant(),
    );
    Ok(())
}

fn ready(status: &TodoStackStatus) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.as_str())
}

/// One Event when `Ready` changes to a cause or to true; what merely progresses is in the status alone.
async fn announce(
    context: &Context,
    stack: &TodoStack,
    (old, new): (Option<&Condition>, Option<&Condition>),
) {
    let Some(new) = new else { return };
    let same = old.is_some_and(|old| old.status == new.status && old.reason == new.reason);
    let progress =
        [Reason::Progressing, Reason::WaitingForDependency, Reason::VolumePending, Reason::AddressPending];
    if same || progress.iter().any(|reason| reason.as_str() == new.reason) {
        return;
    }
    let good = new.status == "True";
    let event = Event {
        type_: if good { EventType::Normal } else { EventType::Warning },
        reason: if good { ConditionType::Ready.as_str().to_owned() } else { new.reason.clone() },
        note: Some(new.message.clone()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    // An Event is a courtesy: without it the status still says all, so the pass goes on.
    if let Err(error) = context.recorder.publish(&event, &stack.object_ref(&())).await {
        tracing::warn!(stack.name = %stack.name_any(), error = %crate::error::chain(&error), "Event was not published");
    }
}
