//! Pods whose sandbox cannot be created, so that none of their containers starts.

use k8s_openapi::api::core::v1::Event;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, pods, quote};
use crate::labels;

/// Findings on pods whose network namespace or cgroup cannot be created.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let untouched = pods::places(evidence).filter(|place| {
        pods::containers(place.pod)
            .all(|container| container.container_id.as_deref().unwrap_or_default().is_empty())
    });
    untouched
        .filter_map(|place| {
            let uid = place.pod.metadata.uid.as_deref();
            let is_failure = |event: &&Event| {
                event.reason.as_deref() == Some("FailedCreatePodSandBox")
                    && event.involved_object.uid.as_deref() == uid
            };
            let event = evidence.observed.events.iter().rfind(is_failure)?;
            let message = quote::without_ids(event.message.as_deref()?.trim_end_matches('.'));
            Some(Finding::new(place.part, Reason::CreateContainerError, place.part.pod_noun()).problem(format!("cannot start: {message}")).remedy(format!(
                    "Raise {}.resources.limits.memory if it is below 6Mi; otherwise check the node's network: kubectl -n {} describe pods -l {}={}",
                    place.part.spec_field(),
                    evidence.stack.id.namespace,
                    labels::STACK,
                    evidence.stack.id.name
                )).evidence(format!("Event FailedCreatePodSandBox of Pod {}", place.pod.name_any())).related(place.pod.object_ref(&())))
        })
        .collect()
}
