//! Step 5: the findings on a stack, root cause first. One file for each family of causes. No message contains
//! what changes by itself: pod names, times, counts.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::{
    applied::Applied,
    finding::{Finding, Severity},
    observed::Observed,
    part::Part,
    stack::Stack,
};

mod admission;
mod certificate;
mod containers;
mod crashes;
mod disputes;
mod exposure;
mod grace;
pub(crate) mod growth;
mod images;
mod keys;
mod lifecycle;
mod migrations;
mod pods;
mod preflight;
mod probes;
mod provisioning;
pub(crate) mod quote;
mod retention;
mod sandboxes;
mod scheduling;
mod storage;
mod terminating;
mod unreached;

pub use crate::storage_class::DEFAULT as DEFAULT_STORAGE_CLASS;
pub use exposure::DEFAULT as DEFAULT_INGRESS_CLASS;
pub(crate) use exposure::{has_address, is_default as is_default_ingress_class};

#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub stack: &'a Stack,
    pub observed: &'a Observed,
    pub applied: &'a Applied,
    pub now: Timestamp,
}

pub fn diagnose(evidence: Evidence<'_>) -> Vec<Finding> {
    let mut findings = evidence.stack.findings.clone();
    findings.extend(admission::findings(evidence));
    findings.extend(disputes::findings(evidence));
    findings.extend(terminating::findings(evidence));
    findings.extend(terminating::finding(evidence));
    findings.extend(retention::findings(evidence));
    findings.extend(provisioning::finding(evidence));
    findings.extend(growth::finding(evidence));
    findings.extend(storage::finding(evidence));
    findings.extend(preflight::slow_volume(evidence));
    findings.extend(scheduling::findings(evidence));
    findings.extend(sandboxes::findings(evidence));
    findings.extend(containers::findings(evidence));
    findings.extend(unreached::findings(evidence));
    findings.extend(probes::findings(evidence));
    findings.extend(lifecycle::findings(evidence));
    findings.extend(migrations::finding(evidence));
    findings.extend(exposure::findings(evidence));
    grace::apply(&mut findings, evidence);
    // Within a part by reason, whose order is causal too, then by message: the order in which pods are listed
    // changes. Of two that say the same, the graver one counts.
    findings.sort_by_cached_key(|finding| {
        (finding.part, finding.reason, finding.message(), Reverse(finding.severity))
    });
    // All pods of a template have the same problem.
    findings.dedup_by(|one, two| {
        (one.part, one.reason) == (two.part, two.reason) && one.message() == two.message()
    });
    findings
}

#[cfg(test)]
mod tests;
