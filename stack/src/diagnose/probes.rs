//! Running containers whose probe fails, once nothing that they depend on explains it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Event};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity, crashes,
    pods::{self, Place},
    quote,
};
use crate::{
    resources::{
        migration_job,
        postgres_stateful_set::{self, SILENT_VOLUME},
    },
    stack::{Database, VolumeSource},
};

/// Time from the last event that an API pod waits for to the probe that should have succeeded.
const GRACE: SignedDuration = SignedDuration::from_secs(8);
/// Consecutive failures that an API pod has at every start: its probe runs every 2 s.
const USUAL: i32 = 4;
/// Time in which a server that was shut down cleanly accepts connections again.
const QUICK_START: SignedDuration = SignedDuration::from_secs(3);
/// The API's error when it cannot reach its database: before the address, and before the cause.
const FAILED_ON: &str = "failed on ";
const UNAVAILABLE: &str = ": the database is not available: ";

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let living = pods::places(evidence).filter(|place| place.pod.metadata.deletion_timestamp.is_none());
    living.filter_map(|place| failing(&place, evidence)).collect()
}

fn failing(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let container = pods::containers(place.pod).find(|container| {
        !container.ready && container.state.as_ref().is_some_and(|state| state.running.is_some())
    })?;
    let finding = match place.part {
        Part::Database => database(place, container, evidence),
        Part::Migrations => unreached(place, container, evidence),
        Part::Api => unready(place, container, evidence),
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
    if evidence.now.duration_since(started(container)?) < QUICK_START {
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

/// A migration that waits for an external database, or for one that has no connection left.
fn unreached(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let (message, _) = last_failure(place, container, evidence)?;
    let (address, cause) = message.split_once(FAILED_ON)?.1.split_once(UNAVAILABLE)?;
    let cause = quote::last_line(cause)?;
    let external = matches!(evidence.stack.database, Database::External(_));
    let reason = match crashes::known(&cause) {
        Some((reason, Part::Database)) => reason,
        _ if external => Reason::DatabaseUnreachable,
        _ => return None,
    };
    let remedy = crashes::known_remedy(reason).unwrap_or(
        "It recovers without a change when the server responds. Check host and port in the Secret that spec.database references, and DNS and firewall between the pod and the server",
    );
    let problem = format!("cannot connect to {address}: {}", cause.trim_end_matches('.'));
    let finding = place.finding(container, reason, problem, remedy.to_owned());
    Some(Finding { part: Part::Database, ..finding })
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

/// The message of the last failed probe since the container started, and how often it failed. Events outlive
/// restarts.
fn last_failure<'a>(
    place: &Place<'_>,
    container: &ContainerStatus,
    evidence: Evidence<'a>,
) -> Option<(&'a str, i32)> {
    let uid = place.pod.metadata.uid.as_deref();
    let begun = started(container);
    let event = evidence.observed.events.iter().rfind(|event| {
        let is_past = begun.zip(last_seen(event)).is_some_and(|(begun, seen)| seen < begun);
        event.reason.as_deref() == Some("Unhealthy")
            && event.involved_object.uid.as_deref() == uid
            && !is_past
    })?;
    let series = event.series.as_ref().and_then(|series| series.count).unwrap_or_default();
    Some((event.message.as_deref()?, event.count.unwrap_or_default().max(series)))
}

fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let precise = series.or(event.event_time.as_ref()).map(|time| time.0);
    event.last_timestamp.as_ref().map(|time| time.0).or(precise)
}

fn started(container: &ContainerStatus) -> Option<Timestamp> {
    Some(container.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
}

/// Whether database and schema have been ready long enough for a probe to succeed.
fn is_settled(container: &ContainerStatus, evidence: Evidence<'_>) -> bool {
    let observed = evidence.observed;
    let done = observed.jobs.iter().filter(|job| migration_job::complete(job));
    let migrated = done.filter_map(|job| Some(job.status.as_ref()?.completion_time.as_ref()?.0)).max();
    let needs_job = evidence.stack.credentials().is_some();
    let served = observed.stateful_set.as_ref().is_none_or(|set| {
        set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default() > 0
    });
    let since = started(container).max(migrated).map(|time| evidence.now.duration_since(time));
    served && (migrated.is_some() || !needs_job) && since.is_some_and(|since| since >= GRACE)
}

#[cfg(test)]
mod tests;
