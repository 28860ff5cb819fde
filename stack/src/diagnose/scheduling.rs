//! Pods that are unschedulable, and pods whose node does not respond.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, lifecycle,
    pods::{self, Place},
};

/// A volume that is being provisioned makes a pod unschedulable for a moment.
const GRACE: SignedDuration = SignedDuration::from_secs(3);

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    pods::places(evidence)
        .filter_map(|place| unschedulable(&place, evidence).or_else(|| lost_node(&place)))
        .collect()
}

fn unschedulable(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let condition = conditions(place.pod).find(|condition| is_stuck(condition, evidence.now))?;
    let message = condition.message.as_deref().unwrap_or("no node fits").trim_end_matches('.');
    // The findings on storage have the cause.
    if message.contains("PersistentVolumeClaim") {
        return None;
    }
    let field = place.part.spec_field();
    let (reason, remedy) = if message.contains("Insufficient ") {
        (Reason::InsufficientResources, format!("Lower the requests in {field}.resources, or add a node"))
    } else if let Some(taint) = untolerated(message) {
        (Reason::UntoleratedTaint, toleration(place.part, taint, message))
    } else {
        (
            Reason::Unschedulable,
            format!(
                "Correct {field}.nodeSelector, {field}.affinity or {field}.topologySpreadConstraints, or add a node"
            ),
        )
    };
    Some(
        Finding::new(place.part, reason, place.part.pod_noun())
            .problem(format!("is unschedulable: {}", without_hints(message)))
            .remedy(remedy)
            .evidence(format!("condition PodScheduled of Pod {}", place.pod.name_any()))
            .related(place.pod.object_ref(&())),
    )
}

/// When a kubelet is silent, the node controller sets the pod's condition Ready to False and leaves the
/// kubelet's last report on the containers.
fn lost_node(place: &Place<'_>) -> Option<Finding> {
    let unready =
        conditions(place.pod).any(|condition| condition.type_ == "Ready" && condition.status == "False");
    let running = |pod: &Pod| {
        let mut containers =
            pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten()).peekable();
        containers.peek().is_some() && containers.all(|container| container.ready)
    };
    (unready && running(place.pod)).then(|| {
        Finding::new(place.part, Reason::NodeNotReady, place.part.pod_noun())
            .problem("runs on a node that is not ready")
            .remedy(format!(
                "Restart the node: kubectl get nodes shows which. {}",
                lifecycle::out_of_service(place.pod)
            ))
            .evidence(format!("condition Ready of Pod {} against its containers'", place.pod.name_any()))
            .related(place.pod.object_ref(&()))
    })
}

/// The taint in the scheduler's message. Kubernetes 1.36 writes `had untolerated taint(s)` without it, which
/// is empty here; earlier releases write `had untolerated taint {key: value}`.
fn untolerated(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("untolerated taint")?;
    let named = rest.split_once('{').and_then(|(_, rest)| Some(rest.split_once('}')?.0));
    Some(named.unwrap_or_default())
}

/// The toleration to add. The scheduler checks taints before the nodeSelector, so if the message has both,
/// either can be the one to change.
fn toleration(part: Part, taint: &str, message: &str) -> String {
    let field = part.spec_field();
    let key = taint.split(':').next().unwrap_or_default().trim();
    let line = if key.is_empty() {
        format!("Add the taint of the intended node to {field}.tolerations")
    } else {
        format!("Set {field}.tolerations: [{{key: {key}, operator: Exists}}]")
    };
    if message.contains("node affinity/selector") {
        format!("{line}, or correct {field}.nodeSelector")
    } else {
        format!("{line}, or remove the taint")
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

/// The message without the sentences on preemption and, from 1.36, on resource claims, which suggest no
/// action.
fn without_hints(message: &str) -> &str {
    let hints = [" preemption: ", " no new claims to deallocate"];
    let end = hints.iter().filter_map(|hint| message.find(hint)).min().unwrap_or(message.len());
    message.get(..end).unwrap_or(message).trim_end_matches([' ', ',', '.'])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::named(
        "1 node(s) had untolerated taint {todostack.dev/nfs: true}",
        "Set spec.api.tolerations: [{key: todostack.dev/nfs, operator: Exists}], or remove the taint"
    )]
    #[case::unnamed(
        "1 node(s) had untolerated taint(s)",
        "Add the taint of the intended node to spec.api.tolerations, or remove the taint"
    )]
    #[case::selected(
        "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s)",
        "Add the taint of the intended node to spec.api.tolerations, or correct spec.api.nodeSelector"
    )]
    fn the_remedy_names_the_toleration_to_add(#[case] message: &str, #[case] remedy: &str) {
        assert_eq!(toleration(Part::Api, untolerated(message).unwrap(), message), remedy);
    }
}
