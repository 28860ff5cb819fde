//! PersistentVolumeClaims that are being deleted while the stack exists. Pods that are stuck terminating are
//! in `lifecycle.rs`.

use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};

/// Kubernetes keeps the claim of a running pod until the pod ends: the last moment to save the data.
pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let claim = evidence.observed.claim.as_deref()?;
    claim.metadata.deletion_timestamp.as_ref()?;
    let remedy = match claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()) {
        Some(volume) => format!(
            "A deletion cannot be undone. Keep the volume: kubectl patch persistentvolume {volume} --patch '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}', and copy the data before the pod stops"
        ),
        None => "It has no volume, so no data is lost; the operator creates it again".to_owned(),
    };
    Some(
        Finding::new(
            Part::Storage,
            Reason::VolumeTerminating,
            format!("PersistentVolumeClaim {}", claim.name_any()),
        )
        .problem("is being deleted: when its pod stops, its volume is released, and deleted unless its reclaim policy is Retain")
        .remedy(remedy)
        .evidence("deletionTimestamp of the PersistentVolumeClaim")
        .related(claim.object_ref(&())),
    )
}
