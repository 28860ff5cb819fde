//! Running containers whose probe fails, once nothing that they depend on explains it.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity, keys,
    pods::{self, Place},
    quote,
};
use crate::{
    names,
    observed::probe_failures,
    resources::postgres_stateful_set::{self, ROLES_NOT_SET, SILENT_VOLUME, UNREADABLE_VOLUME},
    stack::{Stack, VolumeSource},
};

/// Time from the last event that an API pod waits for to the probe that should have succeeded.
const GRACE: SignedDuration = SignedDuration::from_secs(8);
/// Consecutive failures that an API pod has at every start: its probe runs every 2 s.
const USUAL: i32 = 4;
/// Time in which a server that was shut down cleanly accepts connections again.
const QUICK_START: SignedDuration = SignedDuration::from_secs(3);

/// The last failure of a probe since its container started.
#[derive(Clone, Copy)]
pub(super) struct FailedProbe<'a> {
    pub(super) message: &'a str,
    /// How often it failed with this message.
    pub(super) times: i32,
}

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
        Part::Api => api(place, container, evidence),
        // Migrations are in `unreached.rs`, and the others have no containers.
        Part::Migrations | Part::Objects | Part::Credentials | Part::Storage | Part::Exposure => None,
    }?;
    let seen = format!("Event Unhealthy of Pod {}", place.pod.name_any());
    Some(Finding { evidence: seen, severity: Severity::Transient, ..finding })
}

fn database(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let FailedProbe { message, .. } = last_failure(place, container, evidence)?;
    if container.name != postgres_stateful_set::CONTAINER {
        None
    } else if message.contains("rejecting connections") {
        recovering(place, container, evidence)
    } else if message.contains(SILENT_VOLUME) {
        silent_volume(place, container, evidence.stack)
    } else if let Some((_, error)) = message.split_once(UNREADABLE_VOLUME) {
        Some(unreadable_volume(place, container, error))
    } else {
        let (_, error) = message.split_once(ROLES_NOT_SET)?;
        Some(roles_not_set(place, container, evidence.stack, error))
    }
}

/// A server whose volume responds with an error, such as `Stale file handle` after its export was replaced.
fn unreadable_volume(place: &Place<'_>, container: &ContainerStatus, error: &str) -> Finding {
    let problem = format!("runs, and its volume cannot be read: {}", error.trim());
    let remedy = format!(
        "Check the storage behind the volume. To mount it again: kubectl -n {} delete pods -l {}",
        place.pod.namespace().unwrap_or_default(),
        place.selector()
    );
    place.finding(container, Reason::ProbeFailed, problem, remedy)
}

/// A server that serves, and in which the operator can change no role.
fn roles_not_set(place: &Place<'_>, container: &ContainerStatus, stack: &Stack, error: &str) -> Finding {
    let problem = format!(
        "runs, and the roles of the operator cannot be set: {}",
        quote::last_line(error).unwrap_or_default()
    );
    let statefulset = format!("statefulset/{}", names::database(&stack.id.name));
    let remedy = format!(
        "It needs the role postgres, and a local socket that trusts it. To allow that, run: kubectl -n {} exec {} -c {} -- sh -c 'sed -i \"1i local all postgres trust\" \"$PGDATA/pg_hba.conf\" && pg_ctl reload'",
        place.pod.namespace().unwrap_or_default(),
        statefulset,
        container.name
    );
    place.finding(container, Reason::AuthenticationFailed, problem, remedy)
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

/// A volume that does not respond, as the server's probe or the check before its start reports.
pub(super) fn silent_volume(
    place: &Place<'_>,
    container: &ContainerStatus,
    stack: &Stack,
) -> Option<Finding> {
    let VolumeSource::Nfs { server, volume, .. } = &stack.volume()?.source else {
        let problem = "waits for its volume, which does not respond".to_owned();
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

fn api(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let last = last_failure(place, container, evidence)?;
    keys::finding(place, container, last, evidence).or_else(|| unready(place, container, last, evidence))
}

/// An API pod is not ready while the database or the schema is not.
fn unready(
    place: &Place<'_>,
    container: &ContainerStatus,
    FailedProbe { message, times }: FailedProbe<'_>,
    evidence: Evidence<'_>,
) -> Option<Finding> {
    if times <= USUAL || !is_settled(container, evidence) {
        return None;
    }
    let remedy = format!("Read its log: {}", place.log(container));
    let line = message.lines().next().unwrap_or_default();
    let problem = format!("is running and not ready: {}", line.trim_end_matches('.'));
    Some(place.finding(container, Reason::ProbeFailed, problem, remedy))
}

fn last_failure<'a>(
    place: &Place<'_>,
    container: &ContainerStatus,
    evidence: Evidence<'a>,
) -> Option<FailedProbe<'a>> {
    let event = probe_failures::latest(place.pod, container, &evidence.observed.events)?;
    let series = event.series.as_ref().and_then(|series| series.count).unwrap_or_default();
    Some(FailedProbe {
        message: event.message.as_deref()?,
        times: event.count.unwrap_or_default().max(series),
    })
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
