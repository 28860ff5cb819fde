//! Step 5: what is wrong, most causal first. Pure: objects in, findings out. One file a family of causes; nothing here
//! reads a clock, and no message holds what changes by itself (pod names, times, counts).

use jiff::Timestamp;

use crate::{
    applied::Applied,
    finding::{Finding, Severity},
    observed::Observed,
    part::Part,
    stack::Stack,
};

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
pub use provisioning::DEFAULT as DEFAULT_STORAGE_CLASS;

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
    let mut findings = evidence.stack.findings.clone();
    findings.extend(admission::findings(evidence));
    findings.extend(provisioning::finding(evidence));
    findings.extend(storage::finding(evidence));
    findings.extend(preflight::slow_volume(evidence));
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
