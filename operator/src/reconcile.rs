//! One reconcile of one stack: the six steps in order. Read this first.

use std::{sync::Arc, time::Duration};

use kube::{
    ResourceExt as _,
    runtime::{controller::Action, reflector::ObjectRef},
};
use todostack_crds::{ConditionType, Reason, TodoStack};
use todostack_stack::{
    applied::Applied,
    conditions::{self, Status, Verdict, View},
    diagnose::{self, Evidence},
    error_chain::one_line,
    observed::Observed,
    publication, reclaim,
    requirements::Requirements,
    resolve,
    stack_ref::StackRef,
    status, stuck_pod, transitions,
};

use crate::{
    apply::{self, cleanup},
    clock,
    context::Context,
    error::Error,
    observe::{self, caches::Guarded},
    other_operator, publish, random,
    requeue::{self, Waiting},
    unreadable, upgrades,
};

/// After this time a reconcile is dropped: until it ends, its stack is locked out. Longer than admission
/// webhooks that do not answer may delay the writes of a new stack: ten, 30 s each.
pub(crate) const LONGEST: Duration = Duration::from_mins(6);

/// Reconciles a stack when the controller asks for it.
pub(crate) async fn reconcile(stack: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Error> {
    // All stacks are reconciled when this replica starts to lead.
    if !context.fence.is_leading() {
        return Ok(Action::await_change());
    }
    context.listed().await?;
    let _running = context.running.start(clock::timer());
    if !context.serves(&stack) {
        return Ok(Action::await_change());
    }
    let start = clock::instant();
    let name = ObjectRef::from_obj(stack.as_ref());
    let outcome = match tokio::time::timeout(LONGEST, Box::pin(attempt(&stack, &context))).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::TimedOut(LONGEST)),
    };
    context
        .metrics
        .reconciled(clock::instant().duration_since(start), outcome.as_ref().err().map(Error::step));
    if outcome.is_ok() {
        context.backoff.succeeded(&name);
    }
    outcome
}

/// One reconcile. An error is on the object too, unless the API server does not accept a status either.
async fn attempt(stack: &Guarded, context: &Context) -> Result<Action, Error> {
    let stack = match &stack.0 {
        Ok(stack) => stack,
        Err(invalid) => {
            unreadable::report(context, invalid).await?;
            // No requeue: a correction of the object is a watch event.
            return Ok(Action::await_change());
        }
    };
    if let Some(requeue) = other_operator::yielded(context, stack).await {
        return Ok(requeue);
    }
    let Some(_place) = context.lane.enter(stack) else {
        return Ok(Action::requeue(random::jitter(requeue::NO_PLACE)));
    };
    let outcome = run_steps(stack, context).await;
    if let Some(interruption) = outcome.as_ref().err().and_then(Error::interruption)
        && let Err(error) = publish::interruption(context, stack, &interruption).await
    {
        tracing::warn!(stack.name = %stack.name_any(), error = %one_line(&error), "Error was not published");
    }
    outcome
}

#[expect(clippy::needless_pass_by_value, reason = "the controller's signature")]
pub(crate) fn requeue_after_error(stack: Arc<Guarded>, error: &Error, context: Arc<Context>) -> Action {
    let name = ObjectRef::from_obj(stack.as_ref());
    let wait = context.backoff.failed(&name);
    tracing::warn!(stack.name = %name, retry_ms = wait.as_millis(), error = %one_line(error), "Reconcile failed");
    Action::requeue(wait)
}

async fn run_steps(todostack: &TodoStack, context: &Context) -> Result<Action, Error> {
    let id = StackRef::try_from(todostack)?;
    let requirements = Requirements::from(&todostack.spec);
    if todostack.metadata.deletion_timestamp.is_some() {
        cleanup::cleanup(context, todostack, &id, &requirements).await?;
        context.evict(&id);
        return Ok(Action::await_change());
    }
    let observed = observe::observe(context, todostack, &id, &requirements).await?;
    // The caches may not hold the last status yet: what it remembers would be done again, and its transitions
    // would be published twice.
    let old = context.recent_writes.status(&id, todostack, clock::instant());
    let todostack = &TodoStack { status: Some(old.clone()), ..todostack.clone() };
    let (generated, now) = (random::secrets(), clock::now());
    let rotation = resolve::rotation::due(todostack, now);
    let rotate = rotation.as_deref();
    let inputs =
        resolve::Inputs { observed: &observed, generated: &generated, config: &context.config, rotate, now };
    let stack = upgrades::resolve(context, todostack, inputs)?;
    // Before the first object exists that only the finalizer removes, and after `resolve`, so that a stack
    // which cannot be resolved can still be deleted. A paused stack too: its policy counts.
    cleanup::guard(context, todostack, &id, &requirements).await?;
    let mut undeleted = None;
    let mut outcome = if stack.paused {
        apply::Outcome::default()
    } else {
        let outcome = apply::apply(context, &stack, &observed).await?;
        if let Some(pod) = stuck_pod::find(&observed) {
            undeleted = apply::stuck_pod::delete(context, &id, pod).await.err();
        }
        outcome
    };
    // Of a paused stack too: its policy counts.
    if let Some(change) = reclaim::change(&observed, requirements.deletion_policy) {
        apply::reclaim_policy::set(context, &id, change, &mut outcome).await;
    }
    let apply::Outcome { applied, error, .. } = outcome;
    let now = clock::now();
    let findings =
        diagnose::diagnose(Evidence { stack: &stack, observed: &observed, applied: &applied, now });
    let view = View { stack: &stack, observed: &observed, findings: &findings };
    let verdicts = conditions::evaluate(view);
    upgrades::report(context, &id, &verdicts);
    let mut new = status::status(view, &verdicts, status::Before { status: &old, now });
    new.operator = context.installation.mark();
    let instant = clock::instant();
    let since = context.published.since(&id, instant);
    let delay = publication::delay(&old, &new, since, context.published.quiet(instant));
    if new != old && delay.is_none() {
        let transitions = transitions::transitions(&old, &verdicts);
        publish::publish(context, &id, new, transitions).await?;
        context.published.record(&id, clock::instant());
    }
    if let Some(error) = error.map(Error::from).or(undeleted.map(Error::from)) {
        return Err(error);
    }
    let waiting = waiting(&verdicts, &observed, &applied);
    if waiting == Waiting::Nothing {
        context.published.evict(&id);
    }
    let pause = random::jitter(requeue::pause(waiting, since));
    let correction = context.corrections.pause(&id, clock::timer());
    let opening = upgrades::opens_in(todostack, &stack);
    Ok(Action::requeue([delay, correction, opening].into_iter().flatten().fold(pause, Duration::min)))
}

fn waiting(verdicts: &[Verdict], observed: &Observed, applied: &Applied) -> Waiting {
    let is_ready = verdicts.iter().all(|verdict| match verdict.condition {
        ConditionType::Ready => verdict.status == Status::True,
        // A volume that grows may turn out not to, which only time shows.
        ConditionType::StorageReady => verdict.reason != Reason::Progressing,
        _ => true,
    });
    if observed.lagging || applied.conflict {
        Waiting::Caches
    } else if is_ready {
        Waiting::Nothing
    } else if observed.referenced.lacks_unwatched() {
        Waiting::Unwatched
    } else {
        Waiting::Watched
    }
}

#[cfg(test)]
mod tests;
