//! What becomes of the volume when its claim is deleted: `deletionPolicy: Retain` holds for the volume of a
//! StorageClass too, whose reclaim policy is usually `Delete`. Patching is the operator's.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt as _;
use serde_json::{Value, json};
use todostack_crds::DeletionPolicy;

use crate::{
    observed::{Observed, claim},
    stack::Stack,
};

/// Annotation of a PersistentVolume with the policy that it had before the operator set `Retain`.
const FORMER: &str = "todostack.dev/reclaim-policy";
const RETAIN: &str = "Retain";

/// A PersistentVolume, and the policy that it is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    pub volume: &'a PersistentVolume,
    pub policy: &'a str,
    former: Option<&'a str>,
}

/// The change of the stack's volume, if it needs one. Only a volume that is bound to the stack's own claim is
/// changed, and it gets back no other policy than it had.
pub fn change(observed: &Observed, policy: DeletionPolicy) -> Option<Change<'_>> {
    let (claim, volume) = (observed.claim.as_deref()?, observed.data_volume.as_deref()?);
    if !is_bound_to(volume, claim) {
        return None;
    }
    match policy {
        DeletionPolicy::Retain => {
            let former = claim::reclaim_policy(volume).filter(|policy| *policy != RETAIN)?;
            Some(Change { volume, policy: RETAIN, former: Some(former) })
        }
        DeletionPolicy::Delete => restored(volume),
    }
}

/// The change that gives a volume the policy of its class again.
pub fn restored(volume: &PersistentVolume) -> Option<Change<'_>> {
    Some(Change { volume, policy: volume.annotations().get(FORMER)?, former: None })
}

pub fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.uid.is_some() && claim::bound_uid(volume) == claim.metadata.uid.as_deref()
}

impl Change<'_> {
    /// The merge patch, of exactly this version of the volume.
    pub fn patch(&self) -> Value {
        let metadata = &self.volume.metadata;
        json!({
            "metadata": {
                "uid": metadata.uid, "resourceVersion": metadata.resource_version,
                "annotations": {FORMER: self.former},
            },
            "spec": {"persistentVolumeReclaimPolicy": self.policy},
        })
    }
}

/// The volume of a deleted claim that the stack's claim is to be bound to: while its `claimRef` has the uid
/// of the old claim, no new one can be (kubernetes issue 20753).
pub fn released<'a>(stack: &Stack, observed: &'a Observed) -> Option<&'a PersistentVolume> {
    let wanted = stack.volume()?;
    let name = wanted.requested.volume.as_deref();
    let volumes = [observed.volume.as_deref(), observed.data_volume.as_deref()];
    volumes.into_iter().flatten().find(|volume| {
        volume.metadata.name.as_deref() == name
            && claim::is_released(volume)
            && claim::is_of_claim(volume, &stack.id, &wanted.claim)
    })
}

/// The command that keeps a volume when its claim is deleted.
pub(crate) fn retain_command(volume: &str) -> String {
    format!(
        "kubectl patch persistentvolume {volume} --patch '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;

    fn observed(policy: &str, former: Option<&str>, bound_to: &str) -> Observed {
        let annotations = former.map(|former| json!({FORMER: former}));
        let volume = json!({
            "metadata": {"name": "pv", "uid": "v", "resourceVersion": "7", "annotations": annotations},
            "spec": {"persistentVolumeReclaimPolicy": policy, "claimRef": {"uid": bound_to}},
        });
        let claim = json!({"metadata": {"name": "shop-db", "uid": "c"}});
        Observed {
            claim: Some(Arc::new(serde_json::from_value(claim).unwrap())),
            data_volume: Some(Arc::new(serde_json::from_value(volume).unwrap())),
            ..Observed::default()
        }
    }

    #[rstest]
    #[case::of_a_class("Delete", None, DeletionPolicy::Retain, Some(("Retain", Some("Delete"))))]
    #[case::recycled("Recycle", None, DeletionPolicy::Retain, Some(("Retain", Some("Recycle"))))]
    #[case::retained_already("Retain", Some("Delete"), DeletionPolicy::Retain, None)]
    #[case::given_back("Retain", Some("Delete"), DeletionPolicy::Delete, Some(("Delete", None)))]
    #[case::retained_by_an_administrator("Retain", None, DeletionPolicy::Delete, None)]
    #[case::never_retained("Delete", None, DeletionPolicy::Delete, None)]
    fn the_policy_of_a_volume_follows_that_of_the_stack(
        #[case] policy: &str,
        #[case] former: Option<&str>,
        #[case] wanted: DeletionPolicy,
        #[case] expected: Option<(&str, Option<&str>)>,
    ) {
        let observed = observed(policy, former, "c");
        let change = change(&observed, wanted);
        assert_eq!(change.map(|change| (change.policy, change.former)), expected);
    }

    #[test]
    fn a_volume_that_is_bound_to_another_claim_is_not_changed() {
        assert_eq!(change(&observed("Delete", None, "other"), DeletionPolicy::Retain), None);
    }

    #[test]
    fn the_patch_is_of_the_version_that_was_read() {
        let observed = observed("Retain", Some("Delete"), "c");
        let patch = change(&observed, DeletionPolicy::Delete).unwrap().patch();
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert_eq!(patch["metadata"]["annotations"], json!({FORMER: null}));
    }
}
