//! When a status is published: what a user waits for or must know of at once, each step of a stack that
//! starts not.

use std::time::Duration;

use todostack_crds::{Class, ConditionType, Reason, TodoStackStatus};

/// How long a stack that only progresses is not reported again: half of the time within which everything is
/// reported. Until a new stack has a status, the CRD's default says so.
pub const QUIET: Duration = Duration::from_secs(5);

/// How long the publication of `new` is delayed, if it is; `since` is the time since the last one, or since
/// the stack was first seen.
pub fn delay(
    old: &TodoStackStatus,
    new: &TodoStackStatus,
    since: Duration,
    quiet: Duration,
) -> Option<Duration> {
    let is_step = is_progressing(old) && is_progressing(new);
    quiet.checked_sub(since).filter(|rest| is_step && !rest.is_zero())
}

/// Not ready, and nothing is wrong.
fn is_progressing(status: &TodoStackStatus) -> bool {
    let ready = status.conditions.iter().find(|it| it.type_ == ConditionType::Ready.as_str());
    let reason = ready.map(|ready| Reason::parse(&ready.reason));
    reason.is_none_or(|reason| reason.is_some_and(|reason| reason.class() == Class::Waiting))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use rstest::rstest;

    use super::*;
    use crate::fixtures;

    fn status(reason: &str) -> TodoStackStatus {
        let ready = (!reason.is_empty()).then(|| Condition {
            type_: "Ready".into(),
            status: "False".into(),
            reason: reason.into(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(fixtures::now()),
        });
        TodoStackStatus { conditions: ready.into_iter().collect(), ..TodoStackStatus::default() }
    }

    #[rstest]
    #[case::a_new_stack("", "Progressing", 0, 5)]
    #[case::a_new_stack_by_the_default_of_the_crd("NotObserved", "WaitingForDependency", 4, 1)]
    #[case::one_that_takes_longer("NotObserved", "Progressing", 5, 0)]
    #[case::another_step("Progressing", "WaitingForDependency", 3, 2)]
    #[case::it_is_ready("NotObserved", "AsExpected", 0, 0)]
    #[case::a_cause("Progressing", "ImageNotFound", 0, 0)]
    #[case::another_cause("ImageNotFound", "CrashLoopBackOff", 0, 0)]
    #[case::a_cause_is_gone("ImageNotFound", "Progressing", 0, 0)]
    #[case::it_is_no_longer_ready("AsExpected", "Progressing", 0, 0)]
    #[case::paused("Progressing", "Paused", 0, 0)]
    #[case::a_reason_of_another_version("Unknown", "Progressing", 0, 0)]
    fn only_steps_of_a_stack_that_starts_wait(
        #[case] old: &str,
        #[case] new: &str,
        #[case] since: u64,
        #[case] expected: u64,
    ) {
        let delay = delay(&status(old), &status(new), Duration::from_secs(since), QUIET);
        assert_eq!(delay.unwrap_or_default(), Duration::from_secs(expected));
    }
}
