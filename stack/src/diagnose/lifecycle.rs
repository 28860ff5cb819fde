//! Pods that are stuck terminating, and rollouts that do not complete.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods};
use crate::names;

/// Time that a pod may take after its grace period to terminate. A running kubelet needs seconds.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Findings on pods and rollouts that do not finish.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    terminating(evidence).into_iter().chain(stuck_rollout(evidence)).collect()
}

fn terminating(evidence: Evidence<'_>) -> Vec<Finding> {
    let late = pods::places(evidence).filter(|place| {
        let due = place.pod.metadata.deletion_timestamp.as_ref();
        due.is_some_and(|due| evidence.now.duration_since(due.0) >= GRACE)
    });
    late.map(|place| {
        Finding::new(place.part, Reason::StuckTerminating, place.part.pod_noun())
            .problem("is stuck terminating: its node does not stop it")
            .remedy(format!(
                "Restart its node. {}. A deletion with --force would not stop a server that still runs there",
                out_of_service(place.pod)
            ))
            .evidence(format!("deletionTimestamp of Pod {}", place.pod.name_any()))
            .related(place.pod.object_ref(&()))
    })
    .collect()
}

/// What releases the pods and volumes of a node that stays lost: Kubernetes then detaches the volumes, which
/// a deletion of the pod with `--force` does not wait for.
pub(super) fn out_of_service(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("…");
    format!(
        "If the node does not come back, power it off, then run: kubectl taint nodes {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
    )
}

fn stuck_rollout(evidence: Evidence<'_>) -> Option<Finding> {
    let deployment = evidence.observed.deployment.as_ref()?;
    let status = deployment.status.as_ref()?;
    let late = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "Progressing" && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    late.then(|| {
        Finding::new(
            Part::Api,
            Reason::ProgressDeadlineExceeded,
            format!("Deployment {}", names::api(&evidence.stack.id.name)),
        )
        .problem("has new pods that did not become ready before the progress deadline")
        .remedy("The old pods keep serving. Read the logs of the new pods, and correct spec.api")
        .evidence("condition Progressing of the Deployment")
        .related(deployment.object_ref(&()))
    })
}
