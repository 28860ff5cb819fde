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
    announce(context, stack, old, &status).await;
    context.memory.published(
        (&namespace, &name),
        written.metadata.resource_version,
        status,
        context.instant(),
    );
    Ok(())
}

fn condition(status: &TodoStackStatus, kind: ConditionType) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

/// Events of what changed: `Ready`, and a line end in a Secret, which keeps nothing from being ready.
async fn announce(context: &Context, stack: &TodoStack, old: &TodoStackStatus, new: &TodoStackStatus) {
    for (kind, only) in
        [(ConditionType::Ready, None), (ConditionType::CredentialsValid, Some(Reason::TrailingNewline))]
    {
        let Some(event) = event(condition(old, kind), condition(new, kind), only) else { continue };
        // An Event is a courtesy: without it the status still says all, so the pass goes on.
        if let Err(error) = context.recorder.publish(&event, &stack.object_ref(&())).await {
            tracing::warn!(stack.name = %stack.name_any(), error = %crate::error::chain(&error), "Event was not published");
        }
    }
}

/// One Event when a condition changes to a cause or to true; what merely progresses is in the status alone.
fn event(old: Option<&Condition>, new: Option<&Condition>, only: Option<Reason>) -> Option<Event> {
    let new = new?;
    let same = old.is_some_and(|old| old.status == new.status && old.reason == new.reason);
    let progress =
        [Reason::Progressing, Reason::WaitingForDependency, Reason::VolumePending, Reason::AddressPending];
    let silent = progress.iter().any(|reason| reason.as_str() == new.reason)
        || only.is_some_and(|only| only.as_str() != new.reason);
    if same || silent {
        return None;
    }
    let good = new.status == "True" && only.is_none();
    Some(Event {
        type_: if good { EventType::Normal } else { EventType::Warning },
        reason: if good { new.type_.clone() } else { new.reason.clone() },
        note: Some(new.message.clone()),
        action: "Reconcile".to_owned(),
        secondary: None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::fixtures::now;

    fn ready(status: &str, reason: Reason) -> Condition {
        Condition {
            type_: "Ready".into(),
            status: status.into(),
            reason: reason.as_str().into(),
            message: "m".into(),
            observed_generation: None,
            last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now()),
        }
    }

    #[rstest]
    #[case::well(None, ready("True", Reason::AsExpected), Some("Ready"))]
    #[case::cause(
        Some(ready("True", Reason::AsExpected)),
        ready("False", Reason::CrashLoop),
        Some("CrashLoop")
    )]
    #[case::other_cause(
        Some(ready("False", Reason::DiskFull)),
        ready("False", Reason::CrashLoop),
        Some("CrashLoop")
    )]
    #[case::unchanged(Some(ready("False", Reason::CrashLoop)), ready("False", Reason::CrashLoop), None)]
    #[case::progress(None, ready("False", Reason::Progressing), None)]
    fn a_transition_is_one_event(
        #[case] old: Option<Condition>,
        #[case] new: Condition,
        #[case] told: Option<&str>,
    ) {
        assert_eq!(event(old.as_ref(), Some(&new), None).map(|event| event.reason).as_deref(), told);
    }
}
