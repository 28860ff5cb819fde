//! Volumes that cannot be mounted. Volumes that do not exist yet are in `provisioning.rs`.

use k8s_openapi::api::core::v1::Event;
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods};
use crate::{
    observed::Observed,
    stack::{Database, VolumeSource},
};

pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { observed, stack, .. } = evidence;
    let volume = stack.volume()?;
    let namespace = &stack.id.namespace;
    let current = observed.events.iter().filter(|event| is_current(event, observed));
    let (event, message) = current.filter_map(|event| Some((event, mount_error(event)?))).next_back()?;
    let (object, reason, remedy) = match (&volume.source, &stack.database) {
        (VolumeSource::Nfs { server, path, volume, .. }, Database::Postgres(postgres)) => {
            let (reason, remedy) = nfs(&message, server, path, postgres.run_as_user);
            (format!("PersistentVolume {volume}"), reason, remedy)
        }
        _ => (
            format!("PersistentVolumeClaim {}", volume.claim),
            Reason::FailedMount,
            format!(
                "Read the Events of the pod that waits for it: kubectl -n {namespace} get events --field-selector reason=FailedMount"
            ),
        ),
    };
    Some(
        Finding::new(Part::Storage, reason, object)
            .problem(format!("cannot be mounted: {message}"))
            .remedy(remedy)
            .evidence(format!(
                "Event FailedMount of Pod {}",
                event.involved_object.name.as_deref().unwrap_or_default()
            ))
            .related(event.involved_object.clone()),
    )
}

/// Whether a mount still fails: Events are kept for an hour, and one on mounting is outdated once a container
/// of its pod has run.
fn is_current(event: &Event, observed: &Observed) -> bool {
    let subject = observed.pods.iter().find(|pod| pod.metadata.uid == event.involved_object.uid);
    subject.is_none_or(|pod| {
        pods::containers(pod)
            .all(|container| container.container_id.as_deref().unwrap_or_default().is_empty())
    })
}

/// The cause of an error of mount.nfs(8), and its remedy.
fn nfs(message: &str, server: &str, path: &str, user: i64) -> (Reason, String) {
    let has_any = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if has_any(&["No such file or directory"]) {
        (
            Reason::ExportNotFound,
            format!(
                "Create and export {path} on {server}: mkdir -p {path} && chown {user}:{user} {path} && chmod 700 {path}"
            ),
        )
    } else if has_any(&["access denied", "Permission denied", "Operation not permitted"]) {
        (
            Reason::MountAccessDenied,
            format!(
                "Export {path} on {server} to the addresses of the nodes: exportfs -v shows the allowed clients"
            ),
        )
    } else if has_any(&[
        "timed out",
        "refused",
        "No route to host",
        // The resolver does not respond.
        "temporarily unavailable",
        "not known",
        "resolve",
        "unreachable",
        "deadline",
    ]) {
        (
            Reason::NfsServerUnreachable,
            format!(
                "Check that {server} runs and that the nodes can reach its port 2049: nc -vz {server} 2049"
            ),
        )
    } else if has_any(&["incorrect mount option"]) {
        (
            Reason::FailedMount,
            "Correct spec.database.postgres.storage.nfs.mountOptions: see nfs(5)".to_owned(),
        )
    } else {
        (
            Reason::FailedMount,
            format!("Check that {server} exports {path} to the nodes: showmount -e {server}"),
        )
    }
}

/// The error of the mount program. The kubelet's Event has its whole output, and the last line is the cause.
fn mount_error(event: &Event) -> Option<String> {
    if !matches!(event.reason.as_deref(), Some("FailedMount" | "FailedAttachVolume")) {
        return None;
    }
    let message = event.message.as_deref()?;
    // A missing Secret or ConfigMap does not concern the volume. Neither does a claim that the node may not
    // read yet: the API server authorizes the node a moment after the kubelet learns of its pod.
    if ["references non-existent", "failed to sync", "failed to fetch PVC"]
        .iter()
        .any(|text| message.contains(text))
    {
        return None;
    }
    let lines = || message.lines().rev().map(str::trim);
    let error = lines()
        .find(|line| line.contains("mount.nfs"))
        .or_else(|| lines().find(|line| line.starts_with("Output:")));
    let line = error.or_else(|| message.lines().next())?;
    Some(without_mount_point(line.trim_start_matches("Output:").trim().trim_end_matches('.')).to_owned())
}

/// The message without the mount point, which differs from pod to pod: `… on /…/pods/UID/…`.
fn without_mount_point(message: &str) -> &str {
    let is_mount_point =
        |rest: &str| rest.split_whitespace().next().is_some_and(|path| path.contains("/pods/"));
    [" on /", " for /"]
        .iter()
        .find_map(|before| message.rsplit_once(before).filter(|(_, rest)| is_mount_point(rest)))
        .map_or(message, |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_claim_that_the_node_may_not_read_yet_is_no_mount_error() {
        let message = "Unable to attach or mount volumes: error processing PVC shops/shop-db: failed to fetch PVC from API server: forbidden";
        let event =
            Event { reason: Some("FailedMount".into()), message: Some(message.into()), ..Event::default() };
        assert_eq!(mount_error(&event), None);
    }

    #[rstest]
    #[case::server(
        "mount.nfs: Connection refused for nfs:/e on /data/kubelet/pods/f5-1/volumes/kubernetes.io~nfs/v",
        "mount.nfs: Connection refused for nfs:/e"
    )]
    #[case::option(
        "mount.nfs: an incorrect mount option was specified for /var/lib/kubelet/pods/f5-1/volumes/v",
        "mount.nfs: an incorrect mount option was specified"
    )]
    #[case::other(
        "mount.nfs: access denied by server while mounting nfs:/e",
        "mount.nfs: access denied by server while mounting nfs:/e"
    )]
    fn the_message_is_the_same_for_every_pod(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(without_mount_point(message), expected);
    }
}
