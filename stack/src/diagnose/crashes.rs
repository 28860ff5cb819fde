//! Containers that end with an error of their own: the last line of their log says which. What known words mean is
//! here for probes too.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus};
use todostack_crds::Reason;

use super::{Finding, Part, Severity, log_line, pods::Place};

/// What the log's last line of a known cause looks like.
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

/// The finding on a container that ended.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    ended: &ContainerStateTerminated,
) -> Finding {
    let log = ended.message.as_deref().unwrap_or_default();
    let words =
        log_line::last(log).unwrap_or_else(|| format!("exit code {}, and its log is empty", ended.exit_code));
    let words = words.trim_end_matches('.');
    let (reason, part) = match known(log) {
        Some((reason, Part::Api)) => (reason, place.part),
        Some(known) => known,
        None if place.part == Part::Migrations => (Reason::MigrationFailed, place.part),
        None => (Reason::CrashLoopBackOff, place.part),
    };
    let remedy = match known_remedy(reason) {
        Some(known) => known.to_owned(),
        None => format!("Read on in its log: {}", place.previous_log(container)),
    };
    let finding = place.finding(container, reason, problem(reason, words), remedy);
    let passes =
        matches!(reason, Reason::CrashLoopBackOff | Reason::MigrationFailed | Reason::DatabaseRecovering);
    let severity = if passes { Severity::Transient } else { Severity::Blocking };
    Finding { part, severity, ..finding }
}

/// The cause that some words are the sign of, and the part that it is in.
pub(super) fn known(words: &str) -> Option<(Reason, Part)> {
    KNOWN.iter().find(|(sign, _, _)| words.contains(sign)).map(|(_, reason, part)| (*reason, *part))
}

fn problem(reason: Reason, words: &str) -> String {
    match reason {
        Reason::DiskFull => format!("ends, since its volume is full: {words}"),
        Reason::AuthenticationFailed => format!("is refused by the database: {words}"),
        _ => format!("ends again and again: {words}"),
    }
}

/// What to do about a cause whose remedy is the same wherever it is seen.
pub(super) fn known_remedy(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::DiskFull => {
            "Raise storage.size in spec.database where its class can grow volumes, or free space on the export"
        }
        Reason::VolumeNotWritable => "Export or mount the volume for writing",
        Reason::AuthenticationFailed => {
            "Correct username and password in the Secret that spec.database names"
        }
        Reason::TooManyConnections => {
            "Raise max_connections of the server (spec.database.postgres.parameters), or lower spec.api.replicas"
        }
        Reason::DatabaseRecovering => "It goes on by itself when the server has replayed its log",
        Reason::ImageArchitectureMismatch => "Take an image that is built for the node's architecture",
        _ => return None,
    })
}
