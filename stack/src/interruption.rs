//! What the status says of a reconcile that ended early: an object could not be read, or the stack's
//! finalizer or deletion could not be written. All other conditions stay as they were reported last.

use jiff::Timestamp;
use todostack_crds::{ConditionType, Reason, TodoStackStatus};

use crate::{
    conditions::{self, Status, Verdict},
    diagnose::quote,
    transitions::Transition,
};

/// Why a reconcile ended early.
#[derive(Clone, Debug)]
pub struct Interruption {
    pub reason: Reason,
    /// What failed, as a clause: `Secret pg could not be read`.
    pub problem: String,
    /// Code and message of the API server's answer. None if it did not answer.
    pub answer: Option<(u16, String)>,
}

impl Interruption {
    /// The status with the problem in `Reconciling`. `observedGeneration` stays, since the spec was not
    /// processed.
    pub fn status(&self, old: &TodoStackStatus, now: Timestamp) -> TodoStackStatus {
        let verdict = Verdict::new(ConditionType::Reconciling, Status::True, self.reason, self.message());
        let mut status = old.clone();
        conditions::replace(&mut status.conditions, &[verdict], old.observed_generation, now);
        status
    }

    /// The Event, unless the status had the reason before.
    pub fn transition(&self, old: &TodoStackStatus) -> Option<Transition> {
        let type_ = ConditionType::Reconciling.as_str();
        let before = old.conditions.iter().find(|condition| condition.type_ == type_);
        let is_same = before.is_some_and(|before| before.reason == self.reason.as_str());
        (!is_same).then(|| Transition::warning(self.reason, &self.message(), "Reconcile"))
    }

    fn message(&self) -> String {
        let Self { reason: _, problem, answer } = self;
        match answer {
            None => format!("{problem}: the API server did not answer. The operator tries again"),
            Some((403, message)) => format!(
                "{problem}: {}. The operator tries again. Restore the permissions of the chart todostack-operator, or change the policy that denies the request",
                quote::api_server(message)
            ),
            Some((_, message)) => {
                format!("{problem}: {}. The operator tries again", quote::api_server(message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::fixtures::now;

    fn interruption() -> Interruption {
        let message = "secrets \"pg\" is forbidden: User \"operator\" cannot get resource \"secrets\"";
        Interruption {
            reason: Reason::ObserveFailed,
            problem: "Secret pg could not be read".to_owned(),
            answer: Some((403, message.to_owned())),
        }
    }

    fn ready() -> TodoStackStatus {
        let verdicts = [ConditionType::Ready, ConditionType::Reconciling]
            .map(|condition| Verdict::new(condition, Status::True, Reason::AsExpected, "well"));
        TodoStackStatus {
            observed_generation: Some(1),
            conditions: conditions::merge(&[], &verdicts, 1, now()),
            url: Some("http://shop".to_owned()),
            ..TodoStackStatus::default()
        }
    }

    #[test]
    fn only_reconciling_changes() {
        let (old, later) = (ready(), now() + SignedDuration::from_secs(60));
        let new = interruption().status(&old, later);
        assert_eq!(new.conditions[0], old.conditions[0]);
        assert_eq!(new.conditions[1].reason, "ObserveFailed");
        assert_eq!(new.conditions[1].observed_generation, Some(1));
        assert!(new.conditions[1].message.starts_with("Secret pg could not be read: User"));
        assert_eq!(TodoStackStatus { conditions: old.conditions.clone(), ..new }, old);
    }

    #[test]
    fn the_same_interruption_is_written_and_emitted_once() {
        let (old, later) = (ready(), now() + SignedDuration::from_secs(60));
        assert!(interruption().transition(&old).is_some_and(|it| it.is_warning));
        let new = interruption().status(&old, now());
        assert_eq!(interruption().status(&new, later), new);
        assert!(interruption().transition(&new).is_none());
    }

    #[test]
    fn a_stack_without_a_status_has_one_condition() {
        let new = interruption().status(&TodoStackStatus::default(), now());
        assert_eq!((new.conditions.len(), new.observed_generation), (1, None));
    }
}
