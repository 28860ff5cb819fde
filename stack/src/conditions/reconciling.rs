//! `Reconciling`: abnormal-true, read by kstatus: something still moves towards the spec.

use todostack_crds::{ConditionType::Reconciling, Reason};

use super::{Status, Verdict, View, is_rolled_out};
use crate::finding::Severity;

pub(super) fn evaluate(view: View<'_>, ready: &Verdict) -> Verdict {
    let stack = view.stack;
    if stack.paused {
        let message = "spec.paused is true: changes wait until it is false";
        return Verdict::new(Reconciling, Status::False, Reason::Paused, message);
    }
    if view.findings.iter().any(|finding| finding.severity == Severity::Blocking) {
        let message = "What is left needs a person: see Stalled";
        return Verdict::new(Reconciling, Status::False, Reason::WaitingForDependency, message);
    }
    if ready.status != Status::True {
        return Verdict::new(Reconciling, Status::True, ready.reason, ready.message.clone());
    }
    if !view.observed.deployment.as_deref().is_some_and(is_rolled_out) {
        let message = "Pods of the new template take the place of the old ones";
        return Verdict::new(Reconciling, Status::True, Reason::Progressing, message);
    }
    Verdict::new(Reconciling, Status::False, Reason::AsExpected, "All is as the spec says")
}
