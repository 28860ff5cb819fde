//! The conditions of a status, one file each, merged here with the old ones. A transition time changes only
//! with the status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use todostack_crds::{ConditionType, Reason};

use crate::{finding::Finding, observed::Observed, part::Part, stack::Stack};

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

#[derive(Clone, Copy)]
pub struct View<'a> {
    pub stack: &'a Stack,
    pub observed: &'a Observed,
    pub findings: &'a [Finding],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    True,
    False,
    Unknown,
}

/// A condition before it is merged with the old one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub condition: ConditionType,
    pub status: Status,
    pub reason: Reason,
    /// The same in a sentence, byte-equal as long as the state is the same.
    pub message: String,
    /// The finding that it rests on, if any.
    pub cause: Option<Finding>,
}

impl Status {
    /// The status as written in a condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl View<'_> {
    /// What keeps the part from working.
    fn finding(&self, part: Part) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.part == part && !finding.is_warning())
    }

    /// What a user should know of a part that works.
    fn warning(&self, part: Part) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.part == part && finding.is_warning())
    }
}

impl Verdict {
    pub(crate) fn new(
        condition: ConditionType,
        status: Status,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { condition, status, reason, message: message.into(), cause: None }
    }

    fn finding(condition: ConditionType, finding: &Finding) -> Self {
        let status = if finding.is_warning() { Status::True } else { Status::False };
        let verdict = Self::new(condition, status, finding.reason, finding.message());
        Self { cause: Some(finding.clone()), ..verdict }
    }
}

/// All conditions, in the order of causality.
pub fn evaluate(view: View<'_>) -> Vec<Verdict> {
    let parts = vec![
        credentials_valid::evaluate(view),
        storage_ready::evaluate(view),
        database_ready::evaluate(view),
        migrations_applied::evaluate(view),
        api_available::evaluate(view),
        exposed::evaluate(view),
    ];
    let ready = ready::evaluate(view, &parts);
    let reconciling = reconciling::evaluate(view, &ready);
    let stalled = stalled::evaluate(view);
    std::iter::once(ready).chain(parts).chain([reconciling, stalled]).collect()
}

pub fn merge(old: &[Condition], verdicts: &[Verdict], generation: i64, now: Timestamp) -> Vec<Condition> {
    verdicts.iter().map(|verdict| merged(old, verdict, Some(generation), now)).collect()
}

/// Replaces the conditions of these verdicts and keeps the others.
pub(crate) fn replace(
    conditions: &mut Vec<Condition>,
    verdicts: &[Verdict],
    generation: Option<i64>,
    now: Timestamp,
) {
    for verdict in verdicts {
        let new = merged(conditions, verdict, generation, now);
        match conditions.iter_mut().find(|old| old.type_ == new.type_) {
            Some(old) => *old = new,
            None => conditions.push(new),
        }
    }
}

fn merged(old: &[Condition], verdict: &Verdict, generation: Option<i64>, now: Timestamp) -> Condition {
    let Verdict { condition, status, reason, message, cause: _ } = verdict;
    let status = status.as_str();
    let before = old.iter().find(|old| old.type_ == condition.as_str() && old.status == status);
    Condition {
        type_: condition.as_str().to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.clone(),
        observed_generation: generation,
        last_transition_time: before.map_or_else(|| Time(now), |old| old.last_transition_time.clone()),
    }
}

#[cfg(test)]
mod tests;
