//! The owner of the permits for upgrades: at most so many stacks restart pods at a time because the operator
//! changed. Whether a change is the operator's is decided in `stack/src/upgrade.rs`; that a rollout goes on
//! is read from the cluster, so another process continues where this one ended.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use todostack_crds::{Class, ConditionType, TodoStack};
use todostack_stack::{
    conditions::{Status, Verdict},
    config::Config,
    maintenance::Window,
    managed::{Deployment, Job, Key, StatefulSet},
    names,
    resolve::{self, Inputs},
    stack::Stack,
    stack_ref::{Incomplete, StackRef},
    upgrade::{self, Gate, Need, Rollout, Wait},
};

use self::budget::Budget;
use crate::{clock, context::Context, observe::caches::Guarded};

mod budget;

type Name = ObjectRef<Guarded>;

/// How many stacks restart pods at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) databases: u16,
    pub(crate) apis: u16,
}

pub(crate) struct Upgrades {
    /// What renders templates here.
    renderer: String,
    permits: Mutex<Permits>,
    freed: Mutex<Option<UnboundedSender<Name>>>,
}

struct Permits {
    databases: Budget<Name>,
    apis: Budget<Name>,
}

impl Permits {
    fn of(&mut self, rollout: Rollout) -> &mut Budget<Name> {
        match rollout {
            Rollout::Database => &mut self.databases,
            Rollout::Api => &mut self.apis,
        }
    }
}

impl Upgrades {
    /// Nobody has a permit.
    pub(crate) fn new(config: &Config, limits: Limits) -> Self {
        let permits = Permits {
            databases: Budget::new(limits.databases.into()),
            apis: Budget::new(limits.apis.into()),
        };
        Self { renderer: upgrade::renderer(config), permits: Mutex::new(permits), freed: Mutex::default() }
    }

    /// Each stack from now on whose turn it is.
    pub(crate) fn turns(&self) -> UnboundedReceiver<Name> {
        let (freed, turns) = unbounded();
        *self.freed.lock().unwrap_or_else(PoisonError::into_inner) = Some(freed);
        turns
    }

    fn lock(&self) -> MutexGuard<'_, Permits> {
        self.permits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stack that is deleted neither restarts pods nor waits.
    pub(crate) fn evict(&self, stack: &StackRef) {
        let name = ObjectRef::new(&stack.name).within(&stack.namespace);
        for rollout in Rollout::ALL {
            self.leave(rollout, &name);
        }
    }

    fn leave(&self, rollout: Rollout, stack: &Name) {
        let next = self.lock().of(rollout).leave(stack);
        let freed = self.freed.lock().unwrap_or_else(PoisonError::into_inner);
        for (next, freed) in next.into_iter().filter_map(|next| Some((next, freed.as_ref()?))) {
            // The receiver is dropped when the process ends.
            let _ = freed.unbounded_send(next);
        }
    }
}

/// Resolves a stack, with the settings of before where an upgrade of it waits.
pub(crate) fn resolve(
    context: &Context,
    todostack: &TodoStack,
    inputs: Inputs<'_>,
) -> Result<Stack, Incomplete> {
    let mut stack = resolve::resolve(todostack, inputs)?;
    stack.upgrade.renderer.clone_from(&context.upgrades.renderer);
    let (mut held, mut permitted) = (Vec::new(), Vec::new());
    let window = Window::find(todostack);
    let gate = match &window {
        None => Gate::Open,
        Some(Ok(window)) if window.is_open(inputs.now) => Gate::Open,
        Some(Ok(window)) => Gate::Closed(window),
        Some(Err(_)) => Gate::Invalid,
    };
    for rollout in Rollout::ALL {
        // Nothing of a paused stack is written.
        let need =
            if stack.paused { Need::None } else { upgrade::need(&stack, inputs.observed, rollout, gate) };
        let is_permit = need == Need::Permit;
        match settle(context, &stack.id, rollout, need) {
            Some(wait) => held.push((rollout, wait)),
            None if is_permit => permitted.push(rollout),
            None => {}
        }
    }
    if held.iter().any(|(rollout, _)| *rollout == Rollout::Api) {
        let config = stack.upgrade.earlier.config(inputs.config);
        stack = resolve::resolve(todostack, Inputs { config: &config, ..inputs })?;
        stack.upgrade.renderer.clone_from(&context.upgrades.renderer);
    }
    stack.hold(held);
    stack.upgrade.permitted = permitted;
    Ok(stack)
}

/// Returns what the rollout waits for, if it may not go on.
fn settle(context: &Context, stack: &StackRef, rollout: Rollout, need: Need) -> Option<Wait> {
    let name = ObjectRef::new(&stack.name).within(&stack.namespace);
    let upgrades = &context.upgrades;
    let wait = match need {
        Need::None => {
            upgrades.leave(rollout, &name);
            None
        }
        Need::UnderWay => {
            upgrades.lock().of(rollout).enter(&name);
            None
        }
        Need::Permit => {
            let mut permits = upgrades.lock();
            let budget = permits.of(rollout);
            if budget.is_full() {
                budget.retain(|stack| context.caches.stacks.get(stack).is_some());
            }
            let is_free = budget.acquire(&name, || context.caches.upgrading(rollout));
            (!is_free).then_some(Wait::Others)
        }
        Need::Wait(wait) => {
            upgrades.leave(rollout, &name);
            Some(wait)
        }
    };
    count(context, rollout);
    wait
}

fn count(context: &Context, rollout: Rollout) {
    let counts = context.upgrades.lock().of(rollout).counts();
    for (state, count) in ["under_way", "stopped", "waiting"].into_iter().zip(counts) {
        context.metrics.upgrades(rollout.into(), state, count);
    }
}

/// After an apply: returns the permits of rollouts that did not begin, because nothing could be written.
pub(crate) fn return_unused(context: &Context, stack: &Stack) {
    for rollout in &stack.upgrade.permitted {
        let name = ObjectRef::new(&stack.id.name).within(&stack.id.namespace);
        let keys = match rollout {
            Rollout::Database => vec![Key::new::<StatefulSet>(names::database(&stack.id.name))],
            Rollout::Api => {
                let job = stack.migration.job.clone();
                let job = job.map(Key::new::<Job>);
                let deployment = names::api(&stack.id.name);
                job.into_iter().chain([Key::new::<Deployment>(deployment)]).collect()
            }
        };
        if !keys.iter().any(|key| context.recent_writes.contains(&stack.id, key)) {
            context.upgrades.leave(*rollout, &name);
        }
    }
}

/// Reports, once, that the pods of a stack do not become ready after an upgrade: others wait for it.
pub(crate) fn report(context: &Context, stack: &StackRef, verdicts: &[Verdict]) {
    let name = ObjectRef::new(&stack.name).within(&stack.namespace);
    for rollout in Rollout::ALL {
        let conditions: &[ConditionType] = match rollout {
            Rollout::Database => &[ConditionType::StorageReady, ConditionType::DatabaseReady],
            Rollout::Api => &[ConditionType::MigrationsApplied, ConditionType::ApiAvailable],
        };
        let mut verdicts = verdicts.iter().filter(|verdict| conditions.contains(&verdict.condition));
        let failed = verdicts.find(|it| it.status != Status::True && it.reason.class() == Class::Problem);
        if context.upgrades.lock().of(rollout).stopped(&name, failed.is_some()) {
            let (pods, reason) = (<&str>::from(rollout), failed.map(|failed| failed.reason.as_str()));
            tracing::warn!(stack.name = %stack, pods, reason, "Upgrade stopped: the pods of this stack do not become ready, and other stacks wait for it");
        }
        count(context, rollout);
    }
}

/// The time until the window opens that an upgrade of the stack waits for.
pub(crate) fn opens_in(todostack: &TodoStack, stack: &Stack) -> Option<Duration> {
    let is_waiting = stack.upgrade.held.iter().any(|(_, wait)| matches!(wait, Wait::Window(_)));
    let window = Window::find(todostack).filter(|_| is_waiting)?.ok()?;
    let now: Timestamp = clock::now();
    Duration::try_from(window.opens_in(now)).ok()
}
