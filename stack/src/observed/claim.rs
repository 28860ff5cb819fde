//! What the fields of a PersistentVolumeClaim and of its PersistentVolume say. What they mean for a stack is
//! in `resolve/` and `diagnose/`.

use k8s_openapi::{
    api::core::v1::{PersistentVolume, PersistentVolumeClaim},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt as _;

use crate::{quantity, stack_ref::StackRef};

/// Annotation of a claim whose volume the controller chose. A claim without it was created for its volume.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

pub fn phase(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.phase.as_deref()
}

pub fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    phase(claim) == Some("Bound")
}

/// The StorageClass of a claim. Empty: none, as of a claim for an NFS export.
pub fn class(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.storage_class_name.as_deref()
}

/// Name of the volume that the claim is bound to, or that it asks for.
pub fn volume(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref()
}

/// The volume that the claim was created for.
pub(crate) fn requested_volume(claim: &PersistentVolumeClaim) -> Option<&str> {
    volume(claim).filter(|_| !claim.annotations().contains_key(BOUND_BY_CONTROLLER))
}

pub(crate) fn request(claim: &PersistentVolumeClaim) -> Option<&str> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    requests.get("storage").map(|Quantity(size)| size.as_str())
}

/// The size of the bound volume, which a claim that grows does not have yet.
pub(crate) fn capacity(claim: &PersistentVolumeClaim) -> Option<&str> {
    let capacity = claim.status.as_ref().filter(|_| is_bound(claim))?.capacity.as_ref()?;
    capacity.get("storage").map(|Quantity(size)| size.as_str())
}

/// The size that a bound claim has: what it requests, or, while it grows, what its volume has.
pub fn bound_size(claim: &PersistentVolumeClaim) -> Option<&str> {
    let (request, capacity) = (request(claim)?, capacity(claim)?);
    Some(if quantity::is_larger(capacity, request) { request } else { capacity })
}

pub(crate) fn reclaim_policy(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.persistent_volume_reclaim_policy.as_deref()
}

/// Whether the claim of a volume was deleted, so that no pod can use the volume.
pub(crate) fn is_released(volume: &PersistentVolume) -> bool {
    volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Released")
}

/// Whether a volume is kept for claims of this name: bound to one, or once bound to one that was deleted.
pub(crate) fn is_of_claim(volume: &PersistentVolume, stack: &StackRef, claim: &str) -> bool {
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    reference.is_some_and(|reference| {
        reference.namespace.as_ref() == Some(&stack.namespace) && reference.name.as_deref() == Some(claim)
    })
}

/// The uid of the claim that a volume is bound to.
pub(crate) fn bound_uid(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.claim_ref.as_ref()?.uid.as_deref()
}

/// The NFS export of a volume, as `server:path`.
pub(crate) fn export(volume: &PersistentVolume) -> Option<String> {
    let nfs = volume.spec.as_ref()?.nfs.as_ref()?;
    Some(format!("{}:{}", nfs.server, nfs.path))
}
