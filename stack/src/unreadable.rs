//! What the status says of a `TodoStack` that cannot be read: the CRD allows what this version of the
//! operator does not know. Nothing else is known of such a stack.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use todostack_crds::{ConditionType, Reason};

use crate::{
    conditions::{self, Status, Verdict},
    transitions::Transition,
};

/// The conditions to publish; `error` is that of the deserializer.
pub fn conditions(old: &[Condition], error: &str, generation: Option<i64>, now: Timestamp) -> Vec<Condition> {
    let message = message(error);
    let verdicts = [
        (ConditionType::Ready, Status::False),
        (ConditionType::Reconciling, Status::False),
        (ConditionType::Stalled, Status::True),
    ]
    .map(|(condition, status)| Verdict::new(condition, status, Reason::SpecInvalid, message.clone()));
    let mut new = old.to_vec();
    conditions::replace(&mut new, &verdicts, generation, now);
    new
}

/// The Event, unless the conditions had the reason before.
pub fn transition(old: &[Condition], error: &str) -> Option<Transition> {
    let is_same = |condition: &Condition| {
        condition.type_ == ConditionType::Ready.as_str() && condition.reason == Reason::SpecInvalid.as_str()
    };
    let is_new = !old.iter().any(is_same);
    is_new.then(|| Transition::warning(Reason::SpecInvalid, &message(error), "Reconcile"))
}

fn message(error: &str) -> String {
    format!(
        "The TodoStack cannot be read: {error}. Correct the field, or install the charts todostack-crds and todostack-operator in the same version"
    )
}
