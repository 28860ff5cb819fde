//! Containers that fail with an error of their own, which the last line of their log names. Known messages
//! are here for probes too.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{Finding, Part, Severity, images, pods::Place, preflight, quote};
use crate::{
    labels::Component,
    resources::{migration_job::ROLES, postgres_stateful_set},
};

/// What an image lacks that the node cannot execute.
pub(super) const ARCHITECTURE: &str = "that is built for the node's architecture";

/// Messages of Postgres, the kernel and the C library, with their cause.
const KNOWN: &[(&str, Reason, Part)] = &[
    ("No space left on device", Reason::DiskFull, Part::Storage),
    ("Disk quota exceeded", Reason::DiskFull, Part::Storage),
    ("Read-only file system", Reason::VolumeNotWritable, Part::Storage),
    ("password authentication failed", Reason::AuthenticationFailed, Part::Database),
    ("no pg_hba.conf entry", Reason::AuthenticationFailed, Part::Database),
    ("too many clients already", Reason::TooManyConnections, Part::Database),
    ("remaining connection slots are reserved", Reason::TooManyConnections, Part::Database),
    ("the database system is starting up", Reason::DatabaseRecovering, Part::Database),
    ("the database system is in recovery mode", Reason::DatabaseRecovering, Part::Database),
    ("exec format error", Reason::ImageArchitectureMismatch, Part::Api),
];

/// The finding on a container that failed.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    terminated: &ContainerStateTerminated,
) -> Finding {
    let log = terminated.message.as_deref().unwrap_or_default();
    let line = quote::last_line(log)
        .unwrap_or_else(|| format!("exit code {} and an empty log", terminated.exit_code));
    let line = line.trim_end_matches('.');
    let (reason, part) = match known(log) {
        Some((reason, Part::Api)) => (reason, place.part),
        Some(known) => known,
        None if place.part == Part::Migrations => (Reason::MigrationFailed, place.part),
        None => (Reason::CrashLoopBackOff, place.part),
    };
    let remedy = match (reason, known_remedy(reason)) {
        (Reason::ImageArchitectureMismatch, _) => images::replacement(place, container, ARCHITECTURE),
        (Reason::AuthenticationFailed, _) if container.name == ROLES => restart(place),
        // Of a role or the database that someone dropped.
        (Reason::MigrationFailed, _) if container.name == ROLES && line.ends_with("does not exist") => {
            restart(place)
        }
        (_, Some(known)) => known.to_owned(),
        (_, None) => unknown_remedy(place, container),
    };
    let finding = place.finding(container, reason, problem(reason, line), remedy);
    // The kubelet and the Job controller retry these.
    let is_retried =
        matches!(reason, Reason::CrashLoopBackOff | Reason::MigrationFailed | Reason::DatabaseRecovering);
    let severity = if is_retried { Severity::Transient } else { Severity::Blocking };
    Finding { part, severity, ..finding }
}

/// The remedy of a managed server that lacks what it gets when it starts: roles, passwords and the database.
fn restart(place: &Place<'_>) -> String {
    format!(
        "The server gets roles, passwords and the database when it starts: kubectl -n {} delete pods -l {}",
        place.pod.namespace().unwrap_or_default(),
        place.selector_of(Component::Database)
    )
}

fn unknown_remedy(place: &Place<'_>, container: &ContainerStatus) -> String {
    let log = place.previous_log(container);
    if place.part == Part::Migrations {
        let namespace = place.pod.namespace().unwrap_or_default();
        retried(&namespace, &place.selector_of(Component::Migration))
    } else if container.name == postgres_stateful_set::CONTAINER {
        format!(
            "If the message is about a parameter, correct spec.database.postgres.parameters. Its log: {log}"
        )
    } else {
        format!("Read its log: {log}")
    }
}

/// The remedy of a migration that failed, for reasons of its own.
pub(super) fn retried(namespace: &str, selector: &str) -> String {
    format!(
        "Fix the cause on the server, or correct spec.api.image. The pods of the previous image keep serving, and the migration is retried with pauses of up to 30 minutes. To retry at once: kubectl -n {namespace} delete jobs -l {selector}"
    )
}

/// The cause that a message is known to have, and the part that it affects.
pub(super) fn known(message: &str) -> Option<(Reason, Part)> {
    KNOWN.iter().find(|(known, _, _)| message.contains(known)).map(|(_, reason, part)| (*reason, *part))
}

fn problem(reason: Reason, line: &str) -> String {
    match reason {
        Reason::DiskFull => format!("failed because its volume is full: {line}"),
        Reason::AuthenticationFailed => format!("cannot log in to the database: {line}"),
        Reason::MigrationFailed => format!("failed: {line}"),
        _ => format!("is crash-looping: {line}"),
    }
}

/// The remedy of a cause that has the same one wherever it shows.
pub(super) fn known_remedy(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::DiskFull => preflight::FREE_SPACE,
        Reason::VolumeNotWritable => "Export or mount the volume for writing",
        Reason::AuthenticationFailed => {
            "Correct username and password in the Secret that spec.database references, or the role on the server"
        }
        Reason::TooManyConnections => {
            "Raise max_connections of the server (spec.database.postgres.parameters.max_connections if the operator runs it), or lower spec.api.replicas"
        }
        Reason::DatabaseRecovering => {
            "It recovers without a change when the server has replayed its write-ahead log"
        }
        _ => return None,
    })
}
