//! Stacks that another installation of the operator manages: nothing is written there but one Event. Whether
//! one does is decided by `installation.rs`.

use std::time::Duration;

use kube::{Resource as _, ResourceExt as _, runtime::controller::Action};
use todostack_crds::{Reason, TodoStack};
use todostack_stack::transitions::Transition;

use crate::{context::Context, publish, random};

/// When to look again whether the other one is still alive.
const REQUEUE: Duration = Duration::from_secs(30);

/// Reports a stack that another installation manages, once, and returns when to look again.
pub(crate) async fn yielded(context: &Context, stack: &TodoStack) -> Option<Action> {
    let mark = stack.status.as_ref().and_then(|status| status.operator.as_deref());
    let other = context.installation.other(&context.client, mark).await;
    let uid = stack.uid().unwrap_or_default();
    let is_new = context.installation.note(&uid, other.is_some());
    context.metrics.stacks_of_others(context.installation.stacks_of_others());
    let other = other?;
    if is_new {
        let own = context.installation.mark().unwrap_or_default();
        let message = format!(
            "The operator with the Lease {other} manages this TodoStack, so the one with the Lease {own} writes nothing. Let the two watch different namespaces (value watchNamespaces of the chart todostack-operator), or uninstall one. If {other} is not to manage it any more, remove status.operator: kubectl patch todostack {} --namespace {} --subresource status --type merge --patch '{{\"status\":{{\"operator\":null}}}}'",
            stack.name_any(),
            stack.namespace().unwrap_or_default(),
        );
        let reason = Reason::OtherOperator.as_str();
        tracing::warn!(stack.name = %stack.name_any(), stack.namespace = stack.namespace(), reason, message);
        let transition = Transition::warning(Reason::OtherOperator, &message, "Reconcile");
        publish::emit_on(context, &stack.object_ref(&()), transition).await;
    }
    Some(Action::requeue(random::jitter(REQUEUE)))
}
