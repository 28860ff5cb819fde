//! Pods for which the scheduler finds no node.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PodCondition;
use todostack_crds::Reason;

use super::{Evidence, Finding, containers::part};

/// A claim that is being provided makes a pod unschedulable for a moment; kstatus waits as long.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// Findings on scheduling.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pod in &evidence.observed.pods {
        let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let stuck = conditions.into_iter().find(|condition| is_stuck(condition, evidence.now));
        if let (Some(part), Some(condition)) = (part(pod), stuck) {
            let words = condition.message.as_deref().unwrap_or("no node fits");
            findings.push(Finding {
                part,
                object: "Pod".to_owned(),
                reason: Reason::Unschedulable,
                problem: format!("finds no node: {}", words.trim_end_matches('.')),
                remedy: "Make room, or change resources, nodeSelector or tolerations in the spec".to_owned(),
                needs_person: true,
            });
        }
    }
    findings
}

fn is_stuck(condition: &PodCondition, now: jiff::Timestamp) -> bool {
    let since = condition.last_transition_time.as_ref().map(|time| now.duration_since(time.0));
    condition.type_ == "PodScheduled"
        && condition.status == "False"
        && condition.reason.as_deref() == Some("Unschedulable")
        && since.is_none_or(|since| since >= GRACE)
}
