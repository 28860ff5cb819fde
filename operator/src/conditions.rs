//! The conditions of a status: each from its file, merged here with the old ones. A transition time moves only with
//! the status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use todostack_crds::{ConditionType, Reason};

use crate::{
    finding::{Finding, Part},
    observe::Observed,
    stack::Stack,
};

mod api_available;
mod credentials_valid;
mod database_ready;
mod exposed;
mod migrations_applied;
mod ready;
mod reconciling;
mod stalled;
mod storage_ready;

pub use api_available::is_rolled_out;
pub use exposed::balancer_address;

/// What conditions are judged by.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// What was seen.
    pub observed: &'a Observed,
    /// What is wrong, most causal first.
    pub findings: &'a [Finding],
}

/// `True`, `False` or `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Nothing has told yet.
    Unknown,
}

/// One condition without what merging adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which condition.
    pub condition: ConditionType,
    /// Whether it is so.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// The same for people; the same bytes as long as the state is the same.
    pub message: String,
}

impl View<'_> {
    fn finding(&self, part: Part) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.part == part)
    }
}

impl Verdict {
    fn new(condition: ConditionType, status: Status, reason: Reason, message: impl Into<String>) -> Self {
        Self { condition, status, reason, message: message.into() }
    }

    fn finding(condition: ConditionType, finding: &Finding) -> Self {
        Self::new(condition, Status::False, finding.reason, finding.message())
    }
}

/// All conditions, in the order in which one leads to the next.
#[must_use]
pub fn judge(view: View<'_>) -> Vec<Verdict> {
    let parts = vec![
        credentials_valid::judge(view),
        storage_ready::judge(view),
        database_ready::judge(view),
        migrations_applied::judge(view),
        api_available::judge(view),
        exposed::judge(view),
    ];
    let ready = ready::judge(view, &parts);
    let reconciling = reconciling::judge(view, &ready);
    let stalled = stalled::judge(view);
    std::iter::once(ready).chain(parts).chain([reconciling, stalled]).collect()
}

/// The conditions to publish.
#[must_use]
pub fn merge(
    old: &[Condition],
    verdicts: &[Verdict],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    verdicts
        .iter()
        .map(|verdict| {
            let Verdict { condition, status, reason, message } = verdict;
            let status = match status {
                Status::True => "True",
                Status::False => "False",
                Status::Unknown => "Unknown",
            };
            let before = old.iter().find(|old| old.type_ == condition.as_str() && old.status == status);
            Condition {
                type_: condition.as_str().to_owned(),
                status: status.to_owned(),
                reason: reason.as_str().to_owned(),
                message: message.clone(),
                observed_generation: generation,
                last_transition_time: before
                    .map_or_else(|| Time(now), |old| old.last_transition_time.clone()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
