//! Containers that run and whose probe fails, once nothing before them in the chain explains it.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Event};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part,
    pods::{self, Place},
};
use crate::resources::migration_job;

/// Time from the last of what a pod waits for to the probe that should have seen it.
const GRACE: SignedDuration = SignedDuration::from_secs(20);

/// Findings on probes.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    pods::places(evidence).filter_map(|place| failing(&place, evidence)).collect()
}

fn failing(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let container = pods::containers(place.pod).find(|container| {
        !container.ready && container.state.as_ref().is_some_and(|state| state.running.is_some())
    })?;
    // An API pod says that it is not ready for as long as the database or the schema is not.
    if place.part != Part::Api || !is_settled(container, evidence) {
        return None;
    }
    let uid = place.pod.metadata.uid.as_deref();
    let event = evidence.observed.events.iter().find(|event| {
        event.reason.as_deref() == Some("Unhealthy")
            && event.involved_object.uid.as_deref() == uid
            && repeated(event)
    })?;
    let words = event.message.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let remedy = format!("The API says why: {}", place.log(container));
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

/// Whether database and schema have been there long enough for a probe to have seen them.
fn is_settled(container: &ContainerStatus, evidence: Evidence<'_>) -> bool {
    let observed = evidence.observed;
    let started = container.state.as_ref().and_then(|state| state.running.as_ref()?.started_at.as_ref());
    let done = observed.jobs.iter().filter(|job| migration_job::complete(job));
    let migrated = done.filter_map(|job| job.status.as_ref()?.completion_time.as_ref()).max();
    let needs_job = evidence.stack.credentials().is_some();
    let served = observed.stateful_set.as_ref().is_none_or(|set| {
        set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default() > 0
    });
    let since = started.max(migrated).map(|time| evidence.now.duration_since(time.0));
    served && (migrated.is_some() || !needs_job) && since.is_some_and(|since| since >= GRACE)
}
