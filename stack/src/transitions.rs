//! Which changes of a status become Events, and what the Events say. `publish` writes them.

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use strum::IntoEnumIterator as _;
use todostack_crds::{Class, ConditionType, Reason, TodoStackStatus};

use crate::{
    conditions::{Status, Verdict},
    part::Part,
};

/// Longest note that the API server accepts, in bytes (events.k8s.io/v1).
const LONGEST_NOTE: usize = 1024;

/// A change of a condition that users should know of.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Whether something is wrong: a Warning, not a Normal Event.
    pub is_warning: bool,
    /// The condition that became true, or the reason of the problem.
    pub reason: &'static str,
    pub note: String,
    /// What the operator was doing.
    pub action: &'static str,
    /// The object that shows it.
    pub related: Option<ObjectReference>,
}

impl Transition {
    /// A problem of the stack as a whole.
    pub fn warning(reason: Reason, message: &str, action: &'static str) -> Self {
        Self { is_warning: true, reason: reason.as_str(), note: note(message), action, related: None }
    }
}

/// One transition for each condition that became false for a cause, and one for a stack that became ready.
/// `Ready` is last: the Event of the part has the cause already.
pub fn transitions(old: &TodoStackStatus, verdicts: &[Verdict]) -> Vec<Transition> {
    let parts = Part::iter().filter(|part| *part != Part::Objects);
    let conditions = parts.map(Part::condition).chain([ConditionType::Ready]);
    let mut transitions: Vec<Transition> = Vec::new();
    for condition in conditions {
        let before = old.conditions.iter().find(|old| old.type_ == condition.as_str());
        let now = verdicts.iter().find(|verdict| verdict.condition == condition);
        let Some(now) = now.filter(|now| is_reported(before, now)) else { continue };
        let transition = transition(now);
        let is_same = |other: &Transition| other.reason == transition.reason && other.note == transition.note;
        if !transitions.iter().any(is_same) {
            transitions.push(transition);
        }
    }
    transitions
}

/// What passes without a user's change is shown by the status alone.
fn is_reported(before: Option<&Condition>, now: &Verdict) -> bool {
    let is_same = before
        .is_some_and(|before| before.status == now.status.as_str() && before.reason == now.reason.as_str());
    let is_shown = match now.reason.class() {
        Class::Inactive | Class::Waiting => false,
        // The parts of a stack that starts become ready one after another.
        Class::Good => now.condition == ConditionType::Ready,
        Class::Warning | Class::Problem => true,
    };
    !is_same && is_shown
}

fn transition(now: &Verdict) -> Transition {
    let is_good = now.status == Status::True && now.reason == Reason::AsExpected;
    let cause = now.cause.as_ref();
    Transition {
        is_warning: !is_good,
        reason: if is_good { now.condition.as_str() } else { now.reason.as_str() },
        note: note(&now.message),
        action: cause.map_or("Reconcile", |finding| finding.part.action()),
        related: cause.and_then(|finding| finding.related.clone()),
    }
}

fn note(message: &str) -> String {
    let end = message.floor_char_boundary(LONGEST_NOTE);
    message.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
