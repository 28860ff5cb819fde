//! Volumes that are not there, and volumes that cannot be mounted.

use k8s_openapi::api::core::v1::Event;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods};
use crate::{
    observe::Observed,
    stack::{Volume, VolumeSource},
};

/// The mark of a default class.
pub const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// Findings on the volume.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let Some(volume) = evidence.stack.volume() else { return Vec::new() };
    let observed = evidence.observed;
    class(volume, observed).into_iter().chain(mount(evidence, volume)).collect()
}

/// Whether a claim is bound to its volume.
fn is_bound(observed: &Observed) -> bool {
    let claim = observed.claim.as_ref().and_then(|claim| claim.status.as_ref());
    claim.and_then(|status| status.phase.as_deref()) == Some("Bound")
}

fn class(volume: &Volume, observed: &Observed) -> Option<Finding> {
    let VolumeSource::Class(wanted) = &volume.source else { return None };
    if is_bound(observed) {
        return None;
    }
    let object = format!("PersistentVolumeClaim {}", volume.claim);
    let finding = |reason, problem, remedy| Finding {
        part: Part::Storage,
        object,
        reason,
        problem,
        remedy,
        evidence: "status of the claim, and the cluster's StorageClasses".to_owned(),
        related: observed.claim.as_ref().map(|claim| claim.object_ref(&())),
        needs_person: true,
    };
    match wanted {
        Some(name) if !observed.storage_classes.iter().any(|class| class.metadata.name.as_ref() == Some(name)) => {
            Some(finding(
                Reason::StorageClassNotFound,
                format!("waits for StorageClass {name}, which is not there"),
                match classes(observed).as_slice() {
                    [] => "Create it: the cluster has no StorageClass at all".to_owned(),
                    names => format!(
                        "Create it, or set storageClassName under storage in spec.database to one of: {}",
                        names.join(", ")
                    ),
                },
            ))
        }
        None if !observed.storage_classes.iter().any(|class| is_default(class.metadata.annotations.as_ref())) => {
            Some(finding(
                Reason::NoDefaultStorageClass,
                "names no StorageClass, and the cluster has no default one".to_owned(),
                match classes(observed).as_slice() {
                    [] => "Set nfs under storage in spec.database, or install a provisioner: the cluster has no StorageClass at all".to_owned(),
                    [first, ..] => format!(
                        "Set storageClassName: {first} or nfs under storage in spec.database, or mark a default: kubectl annotate storageclass {first} {DEFAULT}=true"
                    ),
                },
            ))
        }
        _ => None,
    }
}

/// The names of all classes, in their order.
fn classes(observed: &Observed) -> Vec<String> {
    let mut names: Vec<_> = observed.storage_classes.iter().map(|class| class.name_any()).collect();
    names.sort();
    names
}

fn is_default(annotations: Option<&std::collections::BTreeMap<String, String>>) -> bool {
    annotations.and_then(|annotations| annotations.get(DEFAULT)).is_some_and(|value| value == "true")
}

fn mount(evidence: Evidence<'_>, volume: &Volume) -> Option<Finding> {
    let Evidence { observed, stack, .. } = evidence;
    let namespace = &stack.namespace;
    let current = observed.events.iter().filter(|event| is_current(event, observed));
    let (event, words) = current.filter_map(|event| Some((event, refusal(event)?))).next_back()?;
    let (object, reason, remedy) = match &volume.source {
        VolumeSource::Nfs { server, path, volume, .. } => {
            let (reason, remedy) = nfs(&words, server, path);
            (format!("PersistentVolume {volume}"), reason, remedy)
        }
        VolumeSource::Class(_) => (
            format!("PersistentVolumeClaim {}", volume.claim),
            Reason::MountFailed,
            format!(
                "See the Events of the pod that waits for it: kubectl -n {namespace} get events --field-selector reason=FailedMount"
            ),
        ),
    };
    Some(Finding {
        part: Part::Storage,
        object,
        reason,
        problem: format!("cannot be mounted: {words}"),
        remedy,
        evidence: format!(
            "Event FailedMount of Pod {}",
            event.involved_object.name.as_deref().unwrap_or_default()
        ),
        related: Some(event.involved_object.clone()),
        needs_person: true,
    })
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
            Reason::MountRefused,
            format!("Export {path} on {server} to the nodes' addresses: exportfs -v shows to whom it is"),
        )
    } else if says(&[
        "timed out",
        "refused",
        "No route to host",
        "not known",
        "resolve",
        "unreachable",
        "deadline",
    ]) {
        (
            Reason::NfsServerUnreachable,
            format!("Check that {server} runs and that the nodes reach its port 2049: nc -vz {server} 2049"),
        )
    } else {
        (
            Reason::MountFailed,
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
    if message.contains("references non-existent") || message.contains("failed to sync") {
        return None;
    }
    let lines = || message.lines().rev().map(str::trim);
    let said = lines()
        .find(|line| line.contains("mount.nfs"))
        .or_else(|| lines().find(|line| line.starts_with("Output:")));
    let line = said.or_else(|| message.lines().next())?;
    Some(line.trim_start_matches("Output:").trim().trim_end_matches('.').to_owned())
}
