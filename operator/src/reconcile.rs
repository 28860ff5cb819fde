//! One pass over one stack: the six steps in order. Read this first.

use std::{sync::Arc, time::Duration};

use kube::{ResourceExt as _, runtime::controller::Action};
use rand::RngExt as _;
use todostack_crds::{ConditionType, TodoStack, TodoStackStatus};

use crate::{
    apply::{self, Applied},
    build,
    chain::chain,
    cleanup,
    conditions::View,
    context::Context,
    credentials::Fresh,
    diagnose::{self, Evidence},
    error::Error,
    observe,
    publish::{self, Change},
    resolve, status, transitions,
    watch::{Guarded, display},
};

/// Next look at a stack that is well: what happens to it is told by the watches.
const WELL: Duration = Duration::from_mins(10);
/// Next look at a stack that is not: Events and mounts are not watched.
const UNWELL: Duration = Duration::from_secs(3);

/// A pass, as the controller calls it.
pub async fn reconcile(stack: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Error> {
    context.listed().await?;
    let begun = context.instant();
    let name = display(&stack);
    let outcome = match &stack.0 {
        Ok(stack) => pass(stack, &context).await,
        Err(invalid) => {
            // Its watch event comes again when somebody corrects it.
            tracing::error!(stack.name = %name, error = %invalid.error, "TodoStack cannot be read: its CRD is not this operator's");
            Ok(Action::await_change())
        }
    };
    context
        .metrics
        .reconciled(context.instant().duration_since(begun), outcome.as_ref().err().map(Error::step));
    if outcome.is_ok() {
        context.backoff.succeeded(&name);
    }
    outcome
}

/// What to do after a pass that failed.
#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
pub fn after_error(stack: Arc<Guarded>, error: &Error, context: Arc<Context>) -> Action {
    let name = display(&stack);
    let wait = context.backoff.failed(&name);
    tracing::warn!(stack.name = %name, retry_ms = wait.as_millis(), error = %chain(error), "Pass failed");
    Action::requeue(wait)
}

async fn pass(stack: &TodoStack, context: &Context) -> Result<Action, Error> {
    let namespace = stack.namespace().unwrap_or_default();
    let name = stack.name_any();
    if stack.metadata.deletion_timestamp.is_some() {
        cleanup::cleanup(context, stack).await?;
        context.memory.forget((&namespace, &name));
        return Ok(Action::await_change());
    }
    let observed = observe::observe(context, stack).await?;
    let fresh = Fresh::draw();
    let inputs = resolve::Inputs { observed: &observed, fresh: &fresh, config: &context.config };
    let resolved = resolve::resolve(stack, inputs)?;
    let applied = if resolved.paused {
        Applied::default()
    } else {
        cleanup::guard(context, stack).await?;
        apply::apply(context, &resolved, &observed, build::build(&resolved)).await?
    };
    let now = context.now();
    let evidence = Evidence { stack: &resolved, observed: &observed, applied: &applied, now };
    let findings = diagnose::diagnose(evidence);
    let watched = (&stack.metadata, stack.status.as_ref());
    let old = context.memory.status((&namespace, &name), watched, context.instant());
    let view = View { stack: &resolved, observed: &observed, findings: &findings };
    let before = status::Before { status: &old, generation: stack.metadata.generation, now };
    let new = status::status(view, before);
    let next = next_look(&new, observed.lagging);
    let events = transitions::events(&old, &new, view);
    publish::publish(context, stack, Change { old: &old, new, events }).await?;
    Ok(Action::requeue(next))
}

/// Spread out, so that stacks that were seen together are not looked at together for ever.
fn next_look(status: &TodoStackStatus, lagging: bool) -> Duration {
    let ready = status
        .conditions
        .iter()
        .any(|condition| condition.type_ == ConditionType::Ready.as_str() && condition.status == "True");
    let pause = if ready && !lagging { WELL } else { UNWELL };
    pause.mul_f64(rand::rng().random_range(0.8..1.2))
}

#[cfg(test)]
mod tests;
