//! Volumes that are lost, that would be deleted with their claim although the stack retains its data, or that
//! are not made for what they hold. Claims that are being deleted are in `terminating.rs`.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeSpec};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, Severity, quote, terminating};
use crate::{
    observed::claim,
    stack::{Database, VolumeSource},
};

/// Parts of the names of CSI drivers of network file systems.
const NETWORK_DRIVERS: &[&str] = &["nfs", "efs", "smb", "cephfs", "filestore", "glusterfs", "file.csi.azure"];

pub(super) fn findings(evidence: Evidence<'_>) -> impl Iterator<Item = Finding> {
    [lost(evidence), not_retained(evidence), network_file_system(evidence)].into_iter().flatten()
}

/// A claim whose PersistentVolume was deleted never becomes bound again.
fn lost(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { stack, observed, .. } = evidence;
    let claim = observed.claim.as_deref().filter(|claim| claim::phase(claim) == Some("Lost"))?;
    let volume = stack.volume()?;
    let name = claim::volume(claim).unwrap_or_default();
    let replace = format!(
        "kubectl -n {} delete persistentvolumeclaim {} --wait=false && {}",
        stack.id.namespace,
        volume.claim,
        terminating::delete_pod(stack)
    );
    let remedy = match &volume.source {
        VolumeSource::Nfs { .. } => format!("The data is on the export. Replace the claim: {replace}"),
        VolumeSource::Class(_) => format!(
            "If its disk exists, create PersistentVolume {name} for it with this claim in claimRef. In any case, replace the claim: {replace}"
        ),
    };
    Some(
        Finding::new(Part::Storage, Reason::VolumeLost, format!("PersistentVolumeClaim {}", volume.claim))
            .problem(format!("is lost: PersistentVolume {name}, to which it was bound, was deleted"))
            .remedy(remedy)
            .evidence("phase of the PersistentVolumeClaim")
            .related(claim.object_ref(&())),
    )
}

/// The API server rejected the reclaim policy that `deletionPolicy: Retain` asks for.
fn not_retained(evidence: Evidence<'_>) -> Option<Finding> {
    let (volume, message) = evidence.applied.unretained.as_ref()?;
    Some(
        Finding::new(Part::Storage, Reason::VolumeNotRetained, format!("PersistentVolume {volume}"))
            .problem(format!(
                "would be deleted with its claim, although spec.deletionPolicy is Retain: {}",
                quote::api_server(message)
            ))
            .remedy(format!("Keep it: {}", crate::reclaim::retain_command(volume)))
            .evidence(format!("response to the patch of PersistentVolume {volume}"))
            .severity(Severity::Warning),
    )
}

/// SQLite locks its file by means of the file system, and maps its write-ahead log into memory.
fn network_file_system(evidence: Evidence<'_>) -> Option<Finding> {
    let Database::Sqlite(sqlite) = &evidence.stack.database else { return None };
    let volume = evidence.observed.data_volume.as_deref()?;
    is_network_file_system(volume).then(|| {
        let object = format!("PersistentVolumeClaim {}", sqlite.volume.claim);
        Finding::new(Part::Storage, Reason::NetworkFileSystem, object)
            .problem(format!(
                "is bound to PersistentVolume {}, which is on a network file system: SQLite's locks are not safe there, and the file can be damaged",
                volume.name_any()
            ))
            .remedy("Create another TodoStack on a StorageClass of local or block storage, or with spec.database.postgres, and copy the todos")
            .evidence("source of the PersistentVolume")
            .severity(Severity::Warning)
    })
}

fn is_network_file_system(volume: &PersistentVolume) -> bool {
    let Some(PersistentVolumeSpec { nfs, cephfs, glusterfs, azure_file, quobyte, csi, .. }) = &volume.spec
    else {
        return false;
    };
    nfs.is_some()
        || cephfs.is_some()
        || glusterfs.is_some()
        || azure_file.is_some()
        || quobyte.is_some()
        || csi.as_ref().is_some_and(|csi| NETWORK_DRIVERS.iter().any(|name| csi.driver.contains(name)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        applied::Applied,
        diagnose::diagnose,
        fixtures::{now, resolved_from},
        observed::Observed,
    };

    fn observed(source: &Value, phase: &str) -> Observed {
        let claim = json!({"metadata": {"name": "c", "uid": "c"}, "spec": {"volumeName": "pv"},
            "status": {"phase": phase}});
        Observed {
            claim: Some(Arc::new(serde_json::from_value(claim).unwrap())),
            data_volume: Some(Arc::new(
                serde_json::from_value(json!({"metadata": {"name": "pv"}, "spec": source})).unwrap(),
            )),
            ..Observed::default()
        }
    }

    fn found(spec: &str, observed: &Observed, applied: &Applied) -> Vec<(Reason, Severity)> {
        let stack = resolved_from(spec, observed);
        let findings = diagnose(Evidence { stack: &stack, observed, applied, now: now() });
        findings.iter().map(|finding| (finding.reason, finding.severity)).collect()
    }

    #[rstest]
    #[case::nfs(json!({"nfs": {"server": "s", "path": "/p"}}), true)]
    #[case::csi_nfs(json!({"csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": "h"}}), true)]
    #[case::efs(json!({"csi": {"driver": "efs.csi.aws.com", "volumeHandle": "h"}}), true)]
    #[case::disk(json!({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "h"}}), false)]
    #[case::azure_disk(json!({"csi": {"driver": "disk.csi.azure.com", "volumeHandle": "h"}}), false)]
    #[case::local(json!({"hostPath": {"path": "/p"}}), false)]
    fn sqlite_on_a_network_file_system_is_a_warning(#[case] source: Value, #[case] expected: bool) {
        let observed = observed(&source, "Bound");
        let warning = (Reason::NetworkFileSystem, Severity::Warning);
        let found = |spec| found(spec, &observed, &Applied::default());
        assert_eq!(found("{database: {sqlite: {}}}").contains(&warning), expected);
        assert!(!found("{}").contains(&warning));
    }

    #[test]
    fn a_lost_claim_is_reported() {
        let observed = observed(&json!({}), "Lost");
        assert!(
            found("{}", &observed, &Applied::default()).contains(&(Reason::VolumeLost, Severity::Blocking))
        );
    }

    #[test]
    fn a_volume_that_cannot_be_retained_is_a_warning() {
        let applied = Applied { unretained: Some(("pv".into(), "denied".into())), ..Applied::default() };
        let found = found("{}", &observed(&json!({}), "Bound"), &applied);
        assert!(found.contains(&(Reason::VolumeNotRetained, Severity::Warning)));
    }
}
