//! Pods for which the scheduler finds no node, and pods whose node is gone.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part,
    pods::{self, Place},
};

/// A claim that is being provided makes a pod unschedulable for a moment.
const GRACE: SignedDuration = SignedDuration::from_secs(3);

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
    } else if let Some(taint) = untolerated(words) {
        (Reason::UntoleratedTaint, toleration(place.part, taint, words))
    } else {
        (
            Reason::Unschedulable,
            format!("Change nodeSelector or tolerations in {}, or add a node", field(place.part)),
        )
    };
    Some(
        Finding::new(place.part, reason, noun(place.part).to_owned())
            .problem(format!("finds no node: {}", without_hints(words)))
            .remedy(remedy)
            .evidence(format!("condition PodScheduled of Pod {}", place.pod.name_any()))
            .related(place.pod.object_ref(&())),
    )
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
    (unready && running(place.pod)).then(|| {
        Finding::new(place.part, Reason::NodeNotReady, noun(place.part).to_owned())
            .problem("runs on a node that does not answer")
            .remedy("Bring the node back: kubectl get nodes tells which")
            .evidence(format!("condition Ready of Pod {} against its containers'", place.pod.name_any()))
            .related(place.pod.object_ref(&()))
    })
}

/// The taint that the scheduler names: Kubernetes 1.36 says `had untolerated taint(s)` and no more, which is empty
/// here; earlier releases say `had untolerated taint {key: value}`.
fn untolerated(words: &str) -> Option<&str> {
    let (_, rest) = words.split_once("untolerated taint")?;
    let named = rest.split_once('{').and_then(|(_, rest)| Some(rest.split_once('}')?.0));
    Some(named.unwrap_or_default())
}

/// The line to add. Nodes with a taint are told before nodeSelector is looked at, so where both are named, either can
/// be the one to change.
fn toleration(part: Part, taint: &str, words: &str) -> String {
    let field = field(part);
    let key = taint.split(':').next().unwrap_or_default().trim();
    let line = if key.is_empty() {
        format!("Add the taint of the node that is meant to {field}.tolerations")
    } else {
        format!("Set {field}.tolerations: [{{key: {key}, operator: Exists}}]")
    };
    if words.contains("node affinity/selector") {
        format!("{line}, or correct {field}.nodeSelector where it means another node")
    } else {
        format!("{line}, or take the taint away")
    }
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

/// The scheduler's further sentences, on preemption and (1.36) on claims, say nothing that a person could use.
fn without_hints(words: &str) -> &str {
    let hints = [" preemption: ", " no new claims to deallocate"];
    let end = hints.iter().filter_map(|hint| words.find(hint)).min().unwrap_or(words.len());
    words.get(..end).unwrap_or(words).trim_end_matches([' ', ',', '.'])
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::named(
        "1 node(s) had untolerated taint {todostack.dev/nfs: true}",
        "Set spec.api.tolerations: [{key: todostack.dev/nfs, operator: Exists}], or take the taint away"
    )]
    #[case::unnamed(
        "1 node(s) had untolerated taint(s)",
        "Add the taint of the node that is meant to spec.api.tolerations, or take the taint away"
    )]
    #[case::selected(
        "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)",
        "Add the taint of the node that is meant to spec.api.tolerations, or correct spec.api.nodeSelector where it means another node"
    )]
    fn the_line_to_add_is_told(#[case] words: &str, #[case] remedy: &str) {
        assert_eq!(toleration(Part::Api, untolerated(words).unwrap(), words), remedy);
    }
}
