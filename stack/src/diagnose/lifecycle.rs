//! Pods that do not go, and rollouts that do not come to an end.

use jiff::SignedDuration;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods};
use crate::names;

/// Time after the end of its grace period that a pod may take to go: a kubelet that lives needs seconds.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Findings on what does not come to an end.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    terminating(evidence).into_iter().chain(stuck(evidence)).collect()
}

fn terminating(evidence: Evidence<'_>) -> Vec<Finding> {
    let late = pods::places(evidence).filter(|place| {
        let due = place.pod.metadata.deletion_timestamp.as_ref();
        due.is_some_and(|due| evidence.now.duration_since(due.0) >= GRACE)
    });
    late.map(|place| Finding::new(place.part, Reason::StuckTerminating, if place.part == Part::Database { "The database's old pod" } else { "An old pod" }.to_owned()).problem("does not go: its node does not end it").remedy("Bring its node back. Delete it with --force only when the node is surely off: two servers on one volume destroy it").evidence(format!("deletionTimestamp of Pod {}", place.pod.name_any())).related(place.pod.object_ref(&())))
    .collect()
}

fn stuck(evidence: Evidence<'_>) -> Option<Finding> {
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
        .problem("has new pods that do not become ready in time")
        .remedy("The old ones go on serving. Read the new ones' logs, and correct spec.api")
        .evidence("condition Progressing of the Deployment")
        .related(deployment.object_ref(&()))
    })
}
