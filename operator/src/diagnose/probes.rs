//! Containers that run and whose probe fails, once nothing before them in the chain explains it.

use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part,
    pods::{self, Place},
};
use crate::resources::migration_job;

/// Findings on probes.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    pods::places(evidence).filter_map(|place| failing(&place, evidence)).collect()
}

fn failing(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let container = pods::containers(place.pod).find(|container| {
        !container.ready && container.state.as_ref().is_some_and(|state| state.running.is_some())
    })?;
    // An API pod says that it is not ready for as long as the database or the schema is not.
    if place.part != Part::Api || !is_settled(evidence) {
        return None;
    }
    let uid = place.pod.metadata.uid.as_deref();
    let event = evidence.observed.events.iter().find(|event| {
        event.reason.as_deref() == Some("Unhealthy")
            && event.involved_object.uid.as_deref() == uid
            && repeated(event)
    })?;
    let words = event.message.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let remedy = "Read its log: the API says why it is not ready".to_owned();
    let problem = format!("runs and is not ready: {}", words.trim_end_matches('.'));
    let finding = place.finding(container, Reason::ProbeFailing, problem, remedy);
    Some(Finding {
        evidence: format!("Event Unhealthy of Pod {}", place.pod.name_any()),
        needs_person: false,
        ..finding
    })
}

/// Once is the moment of every start.
fn repeated(event: &Event) -> bool {
    let series = event.series.as_ref().and_then(|series| series.count).unwrap_or_default();
    event.count.unwrap_or_default().max(series) >= 5
}

fn is_settled(evidence: Evidence<'_>) -> bool {
    let observed = evidence.observed;
    let migrated = evidence.stack.credentials().is_none()
        || observed.jobs.iter().any(|job| migration_job::complete(job));
    let served = observed.stateful_set.as_ref().is_none_or(|set| {
        set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default() > 0
    });
    migrated && served
}
