//! Migrations that wait for a server that they cannot reach, or that denies access. Nothing fails while they
//! wait, so they go on by themselves.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ContainerStatus;
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity, crashes,
    pods::{self, Place},
    probes, quote,
};
use crate::{
    observed::{probe_failures, subjects::ready_since},
    resources::migration_job::{CONTAINER, ROLES},
    stack::Database,
};

/// Time in which the init container connects to a server that accepts connections: longer than its longest
/// wait for a lock.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// The error of `migrate` when it waits: before the address, and before the cause.
const FAILED_ON: &str = "failed on ";
const UNAVAILABLE: &str = ": the database is not available: ";
const DENIED: &str = ": the database denied access: ";
const POOLER: &str = ": the connection pooler lacks a setting that this service needs, ";

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let migrations = pods::places(evidence).filter(|place| place.part == Part::Migrations);
    let living = migrations.filter(|place| place.pod.metadata.deletion_timestamp.is_none());
    living.filter_map(|place| waiting(&place, evidence)).collect()
}

fn waiting(place: &Place<'_>, evidence: Evidence<'_>) -> Option<Finding> {
    let container = probes::unready_container(place.pod)?;
    let finding = match container.name.as_str() {
        ROLES => roles(place, container, evidence),
        CONTAINER => migrate(place, container, evidence),
        _ => None,
    }?;
    Some(Finding { part: Part::Database, ..finding })
}

/// The init container has no probe. But it waits for nothing else than a connection to a server that accepts
/// connections in its own pod.
fn roles(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let since = probe_failures::started(container)?.max(database_ready_since(evidence)?);
    if evidence.now.duration_since(since) < PATIENCE {
        return None;
    }
    let login = evidence.stack.credentials()?.app.as_ref()?;
    let problem = format!(
        "cannot connect to {}:{}, although the server accepts connections in its own pod",
        login.host, login.port
    );
    let remedy = remedy(place, &evidence.stack.database);
    let finding = place.finding(container, Reason::DatabaseUnreachable, problem, remedy);
    Some(finding.severity(Severity::Transient))
}

/// A migration whose probe reports why it cannot connect.
fn migrate(place: &Place<'_>, container: &ContainerStatus, evidence: Evidence<'_>) -> Option<Finding> {
    let event = probe_failures::latest(place.pod, container, &evidence.observed.events)?;
    let message = event.message.as_deref()?.split_once(FAILED_ON)?.1;
    let finding = if let Some((address, cause)) = message.split_once(DENIED) {
        let problem = format!("cannot log in at {address}: {}", quoted(cause)?);
        let reason = Reason::AuthenticationFailed;
        place.finding(container, reason, problem, crashes::known_remedy(reason)?.to_owned())
    } else if let Some((address, lacking)) = message.split_once(POOLER) {
        pooler(place, container, address, &quoted(lacking)?)
    } else {
        let (address, cause) = message.split_once(UNAVAILABLE)?;
        let reason = match crashes::known(cause) {
            Some((reason, Part::Database)) => reason,
            _ if is_expected_to_answer(evidence) => Reason::DatabaseUnreachable,
            _ => return None,
        };
        let problem = format!("cannot connect to {address}: {}", quoted(cause)?);
        let known = crashes::known_remedy(reason).map(str::to_owned);
        let remedy = known.unwrap_or_else(|| remedy(place, &evidence.stack.database));
        place.finding(container, reason, problem, remedy).severity(Severity::Transient)
    };
    Some(finding.evidence(format!("Event Unhealthy of Pod {}", place.pod.name_any())))
}

/// A pooler in front of the server, by the setting that it lacks, and its error.
fn pooler(place: &Place<'_>, container: &ContainerStatus, address: &str, lacking: &str) -> Finding {
    let (setting, error) = lacking.split_once(": ").unwrap_or((lacking, "it has another mode"));
    let problem = format!("cannot use the connection pooler at {address}: {error}");
    let remedy = format!(
        "Set {setting} in pgbouncer.ini, beside what the setting has already. For another pooler, find the setting that does the same, or set host and port in the Secret that spec.database references to those of the server itself"
    );
    place.finding(container, Reason::PoolerIncompatible, problem, remedy)
}

fn quoted(cause: &str) -> Option<String> {
    Some(quote::last_line(cause)?.trim_end_matches('.').to_owned())
}

/// Whether nothing else explains that a server does not answer: one that the operator runs has findings of
/// its own while it starts.
fn is_expected_to_answer(evidence: Evidence<'_>) -> bool {
    match evidence.stack.database {
        Database::External(_) => true,
        Database::Postgres(_) | Database::Sqlite(_) => {
            let since = database_ready_since(evidence);
            since.is_some_and(|since| evidence.now.duration_since(since) >= PATIENCE)
        }
    }
}

fn database_ready_since(evidence: Evidence<'_>) -> Option<Timestamp> {
    let pods = evidence.observed.pods.iter().filter(|pod| pods::part(pod) == Some(Part::Database));
    pods.filter_map(|pod| ready_since(pod)).min()
}

/// What may forbid a connection: a policy, a name that leads elsewhere, or a proxy that was injected and
/// starts later than the container that connects.
fn remedy(place: &Place<'_>, database: &Database) -> String {
    let namespace = place.pod.namespace().unwrap_or_default();
    let policies =
        format!("Allow the connection in the NetworkPolicies: kubectl -n {namespace} get networkpolicies");
    let remedy = match database {
        Database::External(_) => format!(
            "It continues without a change when the server responds. Check host and port in the Secret that spec.database references, and DNS and firewalls between the pod and the server. {policies}"
        ),
        Database::Postgres(_) | Database::Sqlite(_) => format!(
            "{policies}, or correct the value clusterDomain of the chart todostack-operator, which is part of the host name"
        ),
    };
    let own = [ROLES, CONTAINER];
    let mut others = pods::containers(place.pod).filter(|container| !own.contains(&container.name.as_str()));
    match others.next() {
        None => remedy,
        Some(other) => format!(
            "Container {} was injected, and may forbid connections: to exclude the pod, set the annotation of its injector in spec.api.podMetadata.annotations. {remedy}",
            other.name
        ),
    }
}

#[cfg(test)]
mod tests;
