//! Volumes that are not there, and volumes that cannot be mounted.

use k8s_openapi::api::core::v1::Event;
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::{
    observe::Observed,
    stack::{Volume, VolumeSource},
};

/// The mark of a default class.
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// Findings on the volume.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let Some(volume) = evidence.stack.volume() else { return Vec::new() };
    let observed = evidence.observed;
    class(volume, observed).into_iter().chain(mount(volume, observed)).collect()
}

/// Whether a claim is bound to its volume.
pub fn is_bound(observed: &Observed) -> bool {
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
        needs_person: true,
    };
    match wanted {
        Some(name) if !observed.storage_classes.iter().any(|class| class.metadata.name.as_ref() == Some(name)) => {
            Some(finding(
                Reason::StorageClassNotFound,
                format!("waits for StorageClass {name}, which is not there"),
                "Create it, or name one of: kubectl get storageclass".to_owned(),
            ))
        }
        None if !observed.storage_classes.iter().any(|class| is_default(class.metadata.annotations.as_ref())) => {
            Some(finding(
                Reason::NoDefaultStorageClass,
                "names no StorageClass, and the cluster has no default one".to_owned(),
                "Set storageClassName or nfs under storage in spec.database, or mark a class as the default: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true".to_owned(),
            ))
        }
        _ => None,
    }
}

fn is_default(annotations: Option<&std::collections::BTreeMap<String, String>>) -> bool {
    annotations.and_then(|annotations| annotations.get(DEFAULT)).is_some_and(|value| value == "true")
}

fn mount(volume: &Volume, observed: &Observed) -> Option<Finding> {
    let words = observed.events.iter().find_map(refusal)?;
    let (object, remedy) = match &volume.source {
        VolumeSource::Nfs { server, path, volume, .. } => (
            format!("PersistentVolume {volume}"),
            format!(
                "Check that {server} exports {path} to the nodes (showmount -e {server}) and that it belongs to 999:999"
            ),
        ),
        VolumeSource::Class(_) => (
            format!("PersistentVolumeClaim {}", volume.claim),
            "See the Events of the database's pod: kubectl describe pod".to_owned(),
        ),
    };
    Some(Finding {
        part: Part::Storage,
        object,
        reason: Reason::MountFailed,
        problem: format!("cannot be mounted: {words}"),
        remedy,
        needs_person: true,
    })
}

/// What the mount program said: the kubelet's Event holds its whole output, and the last line is the cause.
fn refusal(event: &Event) -> Option<String> {
    if !matches!(event.reason.as_deref(), Some("FailedMount" | "FailedAttachVolume")) {
        return None;
    }
    let message = event.message.as_deref()?;
    let said = message
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| line.contains("mount.nfs") || line.starts_with("Output:"));
    let line = said.or_else(|| message.lines().next())?;
    Some(line.trim_start_matches("Output:").trim().trim_end_matches('.').to_owned())
}
