//! Results of the check of the volume and the image, which runs before Postgres starts and leaves one line of
//! JSON as its termination message (`resources/preflight.sh`, `resources/postgres_start.sh`).

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus};
use kube::{Resource as _, ResourceExt as _};
use serde::Deserialize;
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, Severity,
    pods::{self, Place},
    probes, terminating,
};
use crate::{
    observed::Observed,
    resources::postgres_stateful_set::PREFLIGHT,
    stack::{Database, Stack, VolumeSource},
};

mod data;

pub(super) const FREE_SPACE: &str = "Raise spec.database.postgres.storage.size or spec.database.sqlite.storage.size if its StorageClass allows volume expansion, or free space on the export";

/// The line: the name of the failed check, and what it found.
#[derive(Debug, Deserialize)]
struct Report {
    check: String,
    /// In the volume, such as `/18/docker`. Empty for the volume itself.
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
    stack: &Stack,
) -> Option<Finding> {
    let line = ended.message.as_deref()?.lines().rev().find(|line| line.starts_with('{'))?;
    let report: Report = serde_json::from_str(line).ok()?;
    if report.check == "stalled" {
        let finding = probes::silent_volume(place, container, stack)?;
        return Some(Finding { severity: Severity::Transient, ..finding });
    }
    let evidence = format!("report of container {} of Pod {}", container.name, place.pod.name_any());
    let finding = describe(&report, stack)?.evidence(evidence).related(place.pod.object_ref(&()));
    let is_transient = finding.reason == Reason::VolumeInUse;
    Some(finding.severity(if is_transient { Severity::Transient } else { Severity::Blocking }))
}

fn describe(report: &Report, stack: &Stack) -> Option<Finding> {
    data::finding(report, stack).or_else(|| {
        let unusable = unusable(report, &Access::from(stack)).or_else(|| mounted_wrongly(report, stack));
        let (reason, problem, remedy) = unusable?;
        Some(Finding::new(Part::Storage, reason, "The volume").problem(problem).remedy(remedy))
    })
}

/// How a user reaches the files of the volume.
struct Access {
    /// Where to run a command.
    place: String,
    /// The path of the volume there.
    root: String,
    /// Owner and group of the server's files.
    user: String,
}

impl From<&Stack> for Access {
    fn from(stack: &Stack) -> Self {
        let user = match &stack.database {
            Database::Postgres(postgres) => format!("{uid}:{uid}", uid = postgres.run_as_user),
            Database::External(_) | Database::Sqlite(_) => String::new(),
        };
        let (place, root) = match stack.volume().map(|volume| (&volume.source, &volume.claim)) {
            Some((VolumeSource::Nfs { path, .. }, _)) => ("On the NFS server".to_owned(), path.clone()),
            Some((VolumeSource::Class(_), claim)) => {
                (format!("In a pod that mounts PersistentVolumeClaim {claim} at /mnt"), "/mnt".to_owned())
            }
            None => (String::new(), String::new()),
        };
        Self { place, root, user }
    }
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

/// A volume whose owner, space or half-made directory prevents the start.
fn unusable(report: &Report, access: &Access) -> Option<(Reason, String, String)> {
    let Report { check, path, found, wanted } = report;
    let Access { place, root, user: _ } = access;
    Some(match check.as_str() {
        "owner" if path.is_empty() => (
            Reason::VolumeOwnerMismatch,
            format!("is owned by {found}, and Postgres runs as {wanted}"),
            format!("On the NFS server, run chown {wanted} and chmod 700 on the exported directory"),
        ),
        "owner" => (
            Reason::VolumeOwnerMismatch,
            format!("has {path} owned by {found}, and Postgres runs as {wanted}"),
            format!("{place}, run: chown -R {wanted} {root}"),
        ),
        "squash" => (
            Reason::VolumeOwnerMismatch,
            format!("assigns files that {wanted} writes to {found}: the export squashes all users"),
            "On the NFS server, export it without all_squash (root_squash may stay)".to_owned(),
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
                "Make sure that it contains none of your data. Then delete it. {place}, run: rm -rf {root}{path}"
            ),
        ),
        _ => return None,
    })
}

/// A volume that is mounted or exported wrongly, or in use.
fn mounted_wrongly(report: &Report, stack: &Stack) -> Option<(Reason, String, String)> {
    let Report { check, path: _, found, wanted } = report;
    Some(match check.as_str() {
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
            mount_again("Mount it hard", stack),
        ),
        "unlockable" => (
            Reason::VolumeNotLockable,
            format!("cannot be locked against a second server: {found}"),
            mount_again("Mount it with nfsvers=4.1 and neither nolock nor local_lock", stack),
        ),
        "inuse" => (
            Reason::VolumeInUse,
            "is locked by another server, and two servers on one volume would destroy the data".to_owned(),
            "It is used without a change as soon as the other server stops. If that runs on a node that is lost, power off the node, then run: kubectl taint nodes … node.kubernetes.io/out-of-service=nodeshutdown:NoExecute".to_owned(),
        ),
        _ => return None,
    })
}

/// A StorageClass gives its options to new volumes only, and a volume is mounted with its pod.
fn mount_again(how: &str, stack: &Stack) -> String {
    let namespace = &stack.id.namespace;
    match stack.volume().map(|volume| (&volume.source, &volume.claim)) {
        Some((VolumeSource::Class(_), claim)) => format!(
            "{how}: kubectl patch persistentvolume $(kubectl -n {namespace} get persistentvolumeclaim {claim} --output jsonpath={{.spec.volumeName}}) --type=merge --patch '{{\"spec\":{{\"mountOptions\":[\"hard\",\"nfsvers=4.1\"]}}}}' && {}. For new volumes, set mountOptions of the StorageClass",
            terminating::delete_pod(stack)
        ),
        Some((VolumeSource::Nfs { .. }, _)) | None => {
            format!("{how}: set spec.database.postgres.storage.nfs.mountOptions")
        }
    }
}

#[cfg(test)]
mod tests;
