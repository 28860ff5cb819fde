//! Volumes that cannot be mounted. Those that are not there yet are `provisioning.rs`'s.

use k8s_openapi::api::core::v1::Event;
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods};
use crate::{observed::Observed, stack::VolumeSource};

/// The finding on the mount.
pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { observed, stack, .. } = evidence;
    let volume = stack.volume()?;
    let namespace = &stack.id.namespace;
    let current = observed.events.iter().filter(|event| is_current(event, observed));
    let (event, words) = current.filter_map(|event| Some((event, refusal(event)?))).next_back()?;
    let (object, reason, remedy) = match &volume.source {
        VolumeSource::Nfs { server, path, volume, .. } => {
            let (reason, remedy) = nfs(&words, server, path);
            (format!("PersistentVolume {volume}"), reason, remedy)
        }
        VolumeSource::Class(_) => (
            format!("PersistentVolumeClaim {}", volume.claim),
            Reason::FailedMount,
            format!(
                "See the Events of the pod that waits for it: kubectl -n {namespace} get events --field-selector reason=FailedMount"
            ),
        ),
    };
    Some(
        Finding::new(Part::Storage, reason, object)
            .problem(format!("cannot be mounted: {words}"))
            .remedy(remedy)
            .evidence(format!(
                "Event FailedMount of Pod {}",
                event.involved_object.name.as_deref().unwrap_or_default()
            ))
            .related(event.involved_object.clone()),
    )
}

/// Events stay for an hour; one on mounting is past when a container of its pod has run.
fn is_current(event: &Event, observed: &Observed) -> bool {
    let subject = observed.pods.iter().find(|pod| pod.metadata.uid == event.involved_object.uid);
    subject.is_none_or(|pod| {
        pods::containers(pod)
            .all(|container| container.container_id.as_deref().unwrap_or_default().is_empty())
    })
}

/// What the mount program's words mean (mount.nfs(8) and the server's answers behind them).
fn nfs(words: &str, server: &str, path: &str) -> (Reason, String) {
    let says = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    if says(&["No such file or directory"]) {
        (
            Reason::ExportNotFound,
            format!(
                "Make and export {path} on {server}: mkdir -p {path} && chown 999:999 {path} && chmod 700 {path}"
            ),
        )
    } else if says(&["access denied", "Permission denied", "Operation not permitted"]) {
        (
            Reason::MountAccessDenied,
            format!("Export {path} on {server} to the nodes' addresses: exportfs -v shows to whom it is"),
        )
    } else if says(&[
        "timed out",
        "refused",
        "No route to host",
        // What a name is that no resolver answers for.
        "temporarily unavailable",
        "not known",
        "resolve",
        "unreachable",
        "deadline",
    ]) {
        (
            Reason::NfsServerUnreachable,
            format!("Check that {server} runs and that the nodes reach its port 2049: nc -vz {server} 2049"),
        )
    } else if says(&["incorrect mount option"]) {
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

/// What the mount program said: the kubelet's Event holds its whole output, and the last line is the cause.
fn refusal(event: &Event) -> Option<String> {
    if !matches!(event.reason.as_deref(), Some("FailedMount" | "FailedAttachVolume")) {
        return None;
    }
    let message = event.message.as_deref()?;
    // A Secret or ConfigMap that is not there yet is no matter of the volume's.
    // Nor is a claim that the node may not read yet: the API server learns after the kubelet that the pod is the node's.
    if ["references non-existent", "failed to sync", "failed to fetch PVC"]
        .iter()
        .any(|sign| message.contains(sign))
    {
        return None;
    }
    let lines = || message.lines().rev().map(str::trim);
    let said = lines()
        .find(|line| line.contains("mount.nfs"))
        .or_else(|| lines().find(|line| line.starts_with("Output:")));
    let line = said.or_else(|| message.lines().next())?;
    Some(without_pod(line.trim_start_matches("Output:").trim().trim_end_matches('.')).to_owned())
}

/// The words without the place where it was to be mounted, which differs from pod to pod: `… on /…/pods/UID/…`.
fn without_pod(words: &str) -> &str {
    let is_place = |rest: &str| rest.split_whitespace().next().is_some_and(|place| place.contains("/pods/"));
    [" on /", " for /"]
        .iter()
        .find_map(|before| words.rsplit_once(before).filter(|(_, rest)| is_place(rest)))
        .map_or(words, |(words, _)| words)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_claim_that_the_node_may_not_read_yet_is_no_matter_of_the_volumes() {
        let message = "Unable to attach or mount volumes: error processing PVC shops/shop-db: failed to fetch PVC from API server: forbidden";
        let event =
            Event { reason: Some("FailedMount".into()), message: Some(message.into()), ..Event::default() };
        assert_eq!(refusal(&event), None);
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
    fn the_words_are_the_same_for_every_pod(#[case] words: &str, #[case] expected: &str) {
        assert_eq!(without_pod(words), expected);
    }
}
