//! Results of the check of the volume and the image, which runs before Postgres starts and leaves one line of
//! JSON as its termination message (`resources/preflight.sh`).

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus};
use serde::Deserialize;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity,
    pods::{self, Place},
};
use crate::{observed::Observed, resources::postgres_stateful_set::PREFLIGHT};

pub(super) const FREE_SPACE: &str = "Raise spec.database.postgres.storage.size or spec.database.sqlite.storage.size if its StorageClass allows volume expansion, or free space on the export";

/// The line: the name of the failed check, and what it found.
#[derive(Debug, Deserialize)]
struct Report {
    check: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    found: String,
    #[serde(default)]
    wanted: String,
}

/// The finding on a volume or an image that failed the check. None if the message is not a report.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    ended: &ContainerStateTerminated,
) -> Option<Finding> {
    let line = ended.message.as_deref()?.lines().rev().find(|line| line.starts_with('{'))?;
    let report: Report = serde_json::from_str(line).ok()?;
    let (reason, problem, remedy) = describe(&report)?;
    let finding = place.finding(container, reason, problem, remedy);
    Some(match reason {
        Reason::ImageUserMismatch | Reason::ContainerCommandNotFound => {
            Finding { object: format!("Image {}", container.image), ..finding }
        }
        _ => Finding { part: Part::Storage, object: "The volume".to_owned(), ..finding },
    })
}

/// The warning on a volume whose writes took longer than the check's limit.
pub(super) fn slow_volume(evidence: Evidence<'_>) -> Option<Finding> {
    let volume = evidence.observed.claim.as_ref()?.spec.as_ref()?.volume_name.as_deref()?;
    let limit = exceeded_limit(evidence.observed)?;
    let finding = Finding::new(Part::Storage, Reason::VolumeSlow, format!("PersistentVolume {volume}"))
        .problem(format!("takes more than {limit} ms to persist a write, and each commit waits for one"))
        .remedy("Check the load of the storage and the network to it")
        .evidence("report of the check of the volume")
        .severity(Severity::Warning);
    Some(finding)
}

/// The limit in milliseconds that a write to the volume exceeded.
fn exceeded_limit(observed: &Observed) -> Option<u32> {
    let containers = observed.pods.iter().flat_map(|pod| pods::containers(pod));
    let passed = containers
        .filter(|container| container.name == PREFLIGHT)
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .filter(|terminated| terminated.exit_code == 0);
    passed
        .filter_map(|terminated| serde_json::from_str::<Report>(terminated.message.as_deref()?).ok())
        .find(|report| report.check == "slow")
        .and_then(|report| report.wanted.parse().ok())
}

fn describe(report: &Report) -> Option<(Reason, String, String)> {
    let Report { check, path, found, wanted } = report;
    Some(match check.as_str() {
        "owner" => (
            Reason::VolumeOwnerMismatch,
            format!("is owned by {found}, and Postgres runs as {wanted}"),
            format!("On the NFS server, run chown {wanted} and chmod 700 on the exported directory"),
        ),
        "files" => (
            Reason::VolumeOwnerMismatch,
            format!("has data in {path} that is owned by {found}, and Postgres runs as {wanted}"),
            format!("As root, run chown -R {wanted} on the directory: on an NFS export, on its server"),
        ),
        "squash" => (
            Reason::VolumeOwnerMismatch,
            format!("assigns files that {wanted} writes to {found}: the export squashes all users"),
            "On the NFS server, export it without all_squash (root_squash may stay)".to_owned(),
        ),
        "readonly" => (
            Reason::VolumeNotWritable,
            "is mounted read-only".to_owned(),
            "On the NFS server, export it with rw".to_owned(),
        ),
        "unwritable" => (
            Reason::VolumeNotWritable,
            format!("is not writable by {wanted}: {found}"),
            "On the NFS server, run chmod 700 on the exported directory, and export it with rw".to_owned(),
        ),
        "soft" => (
            Reason::VolumeMountedSoft,
            "is mounted soft: a slow server causes I/O errors, and Postgres loses data".to_owned(),
            "Mount it hard: set mountOptions of the StorageClass, or spec.database.postgres.storage.nfs.mountOptions"
                .to_owned(),
        ),
        "full" => (
            Reason::DiskFull,
            format!("has {found} KiB free, and Postgres needs {wanted} KiB to start"),
            FREE_SPACE.to_owned(),
        ),
        "half" => (
            Reason::VolumeHalfInitialized,
            format!("has an incomplete data directory {path}: an earlier initialization was interrupted"),
            format!(
                "Make sure that it contains none of your data, then delete it: rm -rf {path} on the volume"
            ),
        ),
        "version" => (
            Reason::VersionMismatch,
            format!("contains data of Postgres {found} in {path}, and the spec asks for Postgres {wanted}"),
            format!(
                "Set spec.database.postgres.version to \"{found}\", or create another stack and copy the data with pg_dump"
            ),
        ),
        "entrypoint" => (
            Reason::ContainerCommandNotFound,
            format!("has no {wanted}, with which the operator starts Postgres"),
            "Correct spec.database.postgres.image: it must work like the official image".to_owned(),
        ),
        "user" => (
            Reason::ImageUserMismatch,
            format!("has no user with uid {wanted}, as which Postgres runs, and initdb requires one"),
            match found.as_str() {
                "" => "Correct spec.database.postgres.image: it must work like the official image".to_owned(),
                uid => format!("Set spec.database.postgres.runAsUser: {uid}"),
            },
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::owner("owner", Reason::VolumeOwnerMismatch)]
    #[case::squash("squash", Reason::VolumeOwnerMismatch)]
    #[case::readonly("readonly", Reason::VolumeNotWritable)]
    #[case::unwritable("unwritable", Reason::VolumeNotWritable)]
    #[case::soft("soft", Reason::VolumeMountedSoft)]
    #[case::full("full", Reason::DiskFull)]
    #[case::half("half", Reason::VolumeHalfInitialized)]
    #[case::version("version", Reason::VersionMismatch)]
    #[case::files("files", Reason::VolumeOwnerMismatch)]
    #[case::entrypoint("entrypoint", Reason::ContainerCommandNotFound)]
    #[case::user("user", Reason::ImageUserMismatch)]
    fn each_check_has_its_reason(#[case] check: &str, #[case] expected: Reason) {
        let report: Report = serde_json::from_value(serde_json::json!({"check": check})).unwrap();
        assert_eq!(describe(&report).unwrap().0, expected);
    }
}
