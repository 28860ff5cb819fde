//! Pods for which the scheduler finds no node, and pods whose node is gone.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part,
    pods::{self, Place},
};

/// A claim that is being provided makes a pod unschedulable for a moment.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// Findings on scheduling.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    pods::places(evidence)
        .filter_map(|place| unscheduled(&place, evidence).or_else(|| lost_node(&place)))
        .collect()
}

fn unscheduled(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let condition = conditions(place.pod).find(|condition| is_stuck(condition, evidence.now))?;
    let words = condition.message.as_deref().unwrap_or("no node fits").trim_end_matches('.');
    // The claim's own cause stands in the storage family.
    if words.contains("PersistentVolumeClaim") {
        return None;
    }
    let (reason, remedy) = if words.contains("Insufficient ") {
        (
            Reason::InsufficientResources,
            format!("Lower the requests in {}.resources, or add a node", field(place.part)),
        )
    } else if words.contains("untolerated taint") {
        (
            Reason::TaintNotTolerated,
            format!("Add a toleration to {}.tolerations, or take the taint away", field(place.part)),
        )
    } else {
        (
            Reason::Unschedulable,
            format!("Change nodeSelector or tolerations in {}, or add a node", field(place.part)),
        )
    };
    Some(Finding {
        part: place.part,
        object: noun(place.part).to_owned(),
        reason,
        problem: format!("finds no node: {}", without_hints(words)),
        remedy,
        evidence: format!("condition PodScheduled of Pod {}", place.pod.name_any()),
        needs_person: true,
    })
}

/// The node controller takes a pod's readiness away when its kubelet is silent; what the kubelet said last of the
/// containers stays.
fn lost_node(place: &Place<'_>) -> Option<Finding> {
    let unready =
        conditions(place.pod).any(|condition| condition.type_ == "Ready" && condition.status == "False");
    let running = |pod: &Pod| {
        let mut containers =
            pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten()).peekable();
        containers.peek().is_some() && containers.all(|container| container.ready)
    };
    (unready && running(place.pod)).then(|| Finding {
        part: place.part,
        object: noun(place.part).to_owned(),
        reason: Reason::NodeNotReady,
        problem: "runs on a node that does not answer".to_owned(),
        remedy: "Bring the node back: kubectl get nodes tells which".to_owned(),
        evidence: format!("condition Ready of Pod {} against its containers'", place.pod.name_any()),
        needs_person: true,
    })
}

fn conditions(pod: &Pod) -> impl Iterator<Item = &PodCondition> {
    pod.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

fn is_stuck(condition: &PodCondition, now: jiff::Timestamp) -> bool {
    let since = condition.last_transition_time.as_ref().map(|time| now.duration_since(time.0));
    condition.type_ == "PodScheduled"
        && condition.status == "False"
        && condition.reason.as_deref() == Some("Unschedulable")
        && since.is_none_or(|since| since >= GRACE)
}

/// The scheduler's second sentence, on preemption, says nothing that a person could use.
fn without_hints(words: &str) -> &str {
    words.split(" preemption: ").next().unwrap_or(words).trim_end_matches([' ', ',', '.'])
}

fn field(part: Part) -> &'static str {
    if part == Part::Database { "spec.database.postgres" } else { "spec.api" }
}

fn noun(part: Part) -> &'static str {
    match part {
        Part::Database => "The database's pod",
        Part::Migrations => "The migration's pod",
        _ => "An API pod",
    }
}
