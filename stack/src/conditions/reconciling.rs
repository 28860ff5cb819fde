//! `Reconciling`: abnormal-true, for kstatus: the stack is still progressing towards the spec.

use todostack_crds::{ConditionType::Reconciling, Reason};

use super::{Status, Verdict, View, is_rolled_out};
use crate::{
    finding::Severity,
    maintenance::WINDOW,
    upgrade::{Rollout, Wait},
};

pub(super) fn evaluate(view: View<'_>, ready: &Verdict) -> Verdict {
    let stack = view.stack;
    if stack.paused {
        let message = "spec.paused is true: the operator makes no changes until it is false";
        return Verdict::new(Reconciling, Status::False, Reason::Paused, message);
    }
    if view.findings.iter().any(|finding| finding.severity == Severity::Blocking) {
        let message = "Progress needs a change by a user: see Stalled";
        return Verdict::new(Reconciling, Status::False, Reason::WaitingForDependency, message);
    }
    if ready.reason == Reason::ScaledToZero {
        return Verdict::new(Reconciling, Status::False, Reason::ScaledToZero, ready.message.clone());
    }
    if ready.status != Status::True {
        return Verdict::new(Reconciling, Status::True, ready.reason, ready.message.clone());
    }
    if !view.observed.deployment.as_deref().is_some_and(is_rolled_out) {
        let message = "Pods of the new template are replacing the old ones";
        return Verdict::new(Reconciling, Status::True, Reason::Progressing, message);
    }
    if let Some((rollout, wait)) = stack.upgrade.held.first() {
        return Verdict::new(Reconciling, Status::True, Reason::UpgradePending, pending(*rollout, wait));
    }
    Verdict::new(Reconciling, Status::False, Reason::AsExpected, "The stack is as the spec describes")
}

/// The pods serve meanwhile, so `Ready` stays true.
fn pending(rollout: Rollout, wait: &Wait) -> String {
    let pods = match rollout {
        Rollout::Database => "The upgrade of the operator restarts the database",
        Rollout::Api => "The upgrade of the operator migrates the schema and replaces the API pods",
    };
    match (wait, rollout) {
        (Wait::Others, Rollout::Database) => {
            format!("{pods}: it waits until the databases of other stacks have restarted")
        }
        (Wait::Others, Rollout::Api) => format!("{pods}: it waits until those of other stacks are replaced"),
        (Wait::Window(window), _) => format!("{pods}: it waits for the maintenance window {window}"),
        (Wait::InvalidWindow, _) => {
            format!("{pods}: it waits until the annotation {WINDOW} is corrected or removed")
        }
    }
}
