//! Running containers whose probe fails, once nothing that they depend on explains it.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity,
    pods::{self, Place},
};
use crate::{
    observed::probe_failures,
    resources::postgres_stateful_set::{self, SILENT_VOLUME},
    stack::VolumeSource,
};

/// Time from the last event that an API pod waits for to the probe that should have succeeded.
const GRACE: SignedDuration = SignedDuration::from_secs(8);
/// Consecutive failures that an API pod has at every start: its probe runs every 2 s.
const USUAL: i32 = 4;
/// Time in which a server that was shut down cleanly accepts connections again.
const QUICK_START: SignedDuration = SignedDuration::from_secs(3);

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let living = pods::places(evidence).filter(|place| place.pod.metadata.deletion_timestamp.is_none());
    living.filter_map(|place| failing(&place, evidence)).collect()
}

/// The first container that runs and is not ready.
pub(super) fn unready_container(pod: &Pod) -> Option<&ContainerStatus> {
    pods::containers(pod).find(|container| {
        !container.ready && container.state.as_ref().is_some_and(|state| state.running.is_some())
    })
}

fn failing(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let container = unready_container(place.pod)?;
    let finding = match place.part {
        Part::Database => database(place, container, evidence),
        Part::Api => unready(place, container, evidence),
        // `unreached.rs`
        Part::Migrations => None,
        Part::Objects | Part::Credentials | Part::Storage | Part::Exposure => None,
    }?;
    let seen = format!("Event Unhealthy of Pod {}", place.pod.name_any());
    Some(Finding { evidence: seen, severity: Severity::Transient, ..finding })
}

fn database(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let (message, _) = last_failure(place, container, evidence)?;
    if container.name != postgres_stateful_set::CONTAINER {
        None
    } else if message.contains("rejecting connections") {
        recovering(place, container, evidence)
    } else if message.contains(SILENT_VOLUME) {
        stalled(place, container, evidence)
    } else {
        None
    }
}

/// A server that listens and does not accept connections yet.
fn recovering(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    if evidence.now.duration_since(probe_failures::started(container)?) < QUICK_START {
        return None;
    }
    let problem =
        "is in recovery after a crash: it replays its write-ahead log and accepts no connections until then"
            .to_owned();
    let remedy = format!("It recovers without a change. To see its progress: {}", place.log(container));
    Some(place.finding(container, Reason::DatabaseRecovering, problem, remedy))
}

/// A server whose volume does not respond, as its probe reports.
fn stalled(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let VolumeSource::Nfs { server, volume, .. } = &evidence.stack.volume()?.source else {
        let problem = "runs, and its volume does not respond".to_owned();
        let remedy = format!(
            "Check the node and the storage behind the volume, and read the log: {}",
            place.log(container)
        );
        return Some(place.finding(container, Reason::ProbeFailed, problem, remedy));
    };
    let problem = "does not respond: reads and writes wait, and no data is lost".to_owned();
    let remedy =
        format!("It recovers without a change when {server} responds on port 2049: nc -vz {server} 2049");
    let finding = place.finding(container, Reason::NfsServerUnreachable, problem, remedy);
    Some(Finding { part: Part::Storage, object: format!("PersistentVolume {volume}"), ..finding })
}

/// An API pod is not ready while the database or the schema is not.
fn unready(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let (message, times) = last_failure(place, container, evidence)?;
    if times <= USUAL || !is_settled(container, evidence) {
        return None;
    }
    let remedy = format!("Read its log: {}", place.log(container));
    let line = message.lines().next().unwrap_or_default();
    let problem = format!("is running and not ready: {}", line.trim_end_matches('.'));
    Some(place.finding(container, Reason::ProbeFailed, problem, remedy))
}

/// The message of the last failed probe since the container started, and how often it failed.
fn last_failure<'a>(
    place: &Place<'_>,
    container: &ContainerStatus,
    evidence: Evidence<'a>,
) -> Option<(&'a str, i32)> {
    let event = probe_failures::latest(place.pod, container, &evidence.observed.events)?;
    let series = event.series.as_ref().and_then(|series| series.count).unwrap_or_default();
    Some((event.message.as_deref()?, event.count.unwrap_or_default().max(series)))
}

/// Whether database and schema have been ready long enough for a probe to succeed.
fn is_settled(container: &ContainerStatus, evidence: Evidence<'_>) -> bool {
    let observed = evidence.observed;
    let migration = &evidence.stack.migration;
    let migrated = migration.completed.as_ref().and_then(|it| it.completion_time.as_ref()).map(|at| at.0);
    let is_migrated = migration.is_done || evidence.stack.credentials().is_none();
    let served = observed.stateful_set.as_ref().is_none_or(|set| {
        set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default() > 0
    });
    let since =
        probe_failures::started(container).max(migrated).map(|time| evidence.now.duration_since(time));
    served && is_migrated && since.is_some_and(|since| since >= GRACE)
}

#[cfg(test)]
mod tests;
