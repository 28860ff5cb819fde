//! Which changes of a status become Events, and what the Events say. `publish` writes them.

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use strum::IntoEnumIterator as _;
use todostack_crds::{Class, ConditionType, Reason, TodoStackStatus};

use crate::{
    conditions::{Status, Verdict, View},
    managed::{Deployment, Ingress, Job, Key, PersistentVolumeClaim, Secret, Service, StatefulSet},
    names,
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

/// One transition for each condition that became true, or false for a cause. `Ready` is last: the Event of
/// the part has the cause already.
pub fn transitions(old: &TodoStackStatus, verdicts: &[Verdict], view: View<'_>) -> Vec<Transition> {
    let parts = Part::iter().filter(|part| *part != Part::Objects);
    let conditions = parts.map(|part| (part.condition(), Some(part))).chain([(ConditionType::Ready, None)]);
    let mut transitions: Vec<Transition> = Vec::new();
    for (condition, part) in conditions {
        let before = old.conditions.iter().find(|old| old.type_ == condition.as_str());
        let now = verdicts.iter().find(|verdict| verdict.condition == condition);
        let Some(now) = now.filter(|now| is_reported(before, now)) else { continue };
        let transition = transition(now, part, view);
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
    !is_same && !matches!(now.reason.class(), Class::Inactive | Class::Waiting)
}

fn transition(now: &Verdict, part: Option<Part>, view: View<'_>) -> Transition {
    let is_good = now.status == Status::True && now.reason == Reason::AsExpected;
    let cause = now.cause.as_ref();
    let part = cause.map(|finding| finding.part).or(part);
    Transition {
        is_warning: !is_good,
        reason: if is_good { now.condition.as_str() } else { now.reason.as_str() },
        note: note(&now.message),
        action: part.map_or("Reconcile", Part::action),
        related: match cause {
            Some(finding) => finding.related.clone(),
            None => part.and_then(|part| object(part, view)),
        },
    }
}

fn note(message: &str) -> String {
    let end = message.floor_char_boundary(LONGEST_NOTE);
    message.get(..end).unwrap_or_default().to_owned()
}

/// The object that shows a part, once it exists.
fn object(part: Part, view: View<'_>) -> Option<ObjectReference> {
    let View { stack, observed, findings: _ } = view;
    let name = &stack.id.name;
    let keys = match part {
        Part::Objects => return None,
        Part::Credentials => vec![Key::new::<Secret>(names::app_secret(name))],
        Part::Storage => vec![Key::new::<PersistentVolumeClaim>(stack.volume()?.claim.clone())],
        Part::Database => vec![Key::new::<StatefulSet>(names::database(name))],
        Part::Migrations => vec![Key::new::<Job>(stack.migration.job.clone()?)],
        Part::Api => vec![Key::new::<Deployment>(names::api(name))],
        Part::Exposure => {
            vec![Key::new::<Ingress>(names::ingress(name)), Key::new::<Service>(names::api(name))]
        }
    };
    let existing = keys.into_iter().find_map(|key| Some((observed.inventory.get(&key)?.uid.clone(), key)));
    existing.map(|(uid, key)| ObjectReference { uid, ..key.reference(&stack.id.namespace) })
}

#[cfg(test)]
mod tests;
