//! Step 5: what is wrong, most causal first. Pure: objects in, findings out. One file a family of causes; nothing here
//! reads a clock, and no message holds what changes by itself (pod names, times, counts).

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use todostack_crds::Reason;

use crate::{apply::Applied, observe::Observed, stack::Stack};

mod admission;
mod containers;
mod crashes;
mod exposure;
mod images;
mod lifecycle;
mod log_line;
mod migrations;
mod pods;
mod preflight;
mod probes;
mod provisioning;
mod sandboxes;
mod scheduling;
mod storage;

pub use exposure::DEFAULT as DEFAULT_INGRESS_CLASS;
pub use preflight::slow as slow_volume;
pub use provisioning::DEFAULT as DEFAULT_STORAGE_CLASS;

/// The parts of a stack in the order of causality: what is wrong in one explains what is wrong in those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The objects themselves: whose they are, whether the cluster takes them.
    Objects,
    /// The logins.
    Credentials,
    /// The volume.
    Storage,
    /// The server.
    Database,
    /// The schema.
    Migrations,
    /// The API's pods.
    Api,
    /// The way in.
    Exposure,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where it is wrong.
    pub part: Part,
    /// The object, by kind and name.
    pub object: String,
    /// The cause.
    pub reason: Reason,
    /// What is wrong with the object: a clause that goes on after its name.
    pub problem: String,
    /// What to do: the line to change or the command to run.
    pub remedy: String,
    /// Where it is seen: it may hold names that change by themselves, so it stands in no condition.
    pub evidence: String,
    /// The object that an Event points to: where a person reads on. None where it is not there.
    pub related: Option<ObjectReference>,
    /// Whether it goes on only when a person changes something.
    pub needs_person: bool,
}

impl Finding {
    /// The sentence for conditions and Events.
    #[must_use]
    pub fn message(&self) -> String {
        format!("{} {}. {}", self.object, self.problem, self.remedy)
    }
}

/// What diagnosing reads.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// What was seen.
    pub observed: &'a Observed,
    /// What was written and refused.
    pub applied: &'a Applied,
    /// Now, for grace windows.
    pub now: Timestamp,
}

/// All that is wrong, most causal first.
#[must_use]
pub fn diagnose(evidence: Evidence<'_>) -> Vec<Finding> {
    let mut findings = evidence.stack.blockers.clone();
    findings.extend(admission::findings(evidence));
    findings.extend(provisioning::finding(evidence));
    findings.extend(storage::finding(evidence));
    findings.extend(scheduling::findings(evidence));
    findings.extend(sandboxes::findings(evidence));
    findings.extend(containers::findings(evidence));
    findings.extend(probes::findings(evidence));
    findings.extend(lifecycle::findings(evidence));
    findings.extend(migrations::findings(evidence));
    findings.extend(exposure::findings(evidence));
    // Within a part by reason, whose order is causal too, and by words: never by which pod was seen first.
    findings.sort_by_cached_key(|finding| (finding.part, finding.reason, finding.message()));
    // Pods of one template have the same trouble.
    findings.dedup_by(|one, two| {
        (one.part, one.reason) == (two.part, two.reason) && one.message() == two.message()
    });
    findings
}

#[cfg(test)]
mod tests;
