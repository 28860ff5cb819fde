//! The PersistentVolume of an NFS export. It is cluster-scoped, so it has labels and a finalizer instead of
//! an owner. It names its claim, so that no other claim can be bound to it.

use k8s_openapi::{
    api::core::v1::{NFSVolumeSource, ObjectReference, PersistentVolume, PersistentVolumeSpec},
    apimachinery::pkg::api::resource::Quantity,
};

use crate::{
    build::Desired,
    labels::{self, Component},
    quantity,
    stack::{Stack, Volume, VolumeSource},
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(stack.startable_postgres().and_then(|postgres| build(stack, &postgres.volume)))
}

/// none for a volume from a StorageClass.
pub(super) fn build(stack: &Stack, volume: &Volume) -> Option<PersistentVolume> {
    let VolumeSource::Nfs { server, path, mount_options, volume: name } = &volume.source else { return None };
    let mut metadata = labels::unowned(stack, name.clone(), Component::Database);
    metadata.namespace = None;
    // A claim keeps the size that it was bound with, and a new one asks for that of the spec.
    let capacity = quantity::larger(&volume.size, &volume.requested.size);
    Some(PersistentVolume {
        metadata,
        spec: Some(PersistentVolumeSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            capacity: Some([("storage".to_owned(), Quantity(capacity.to_owned()))].into()),
            persistent_volume_reclaim_policy: Some("Retain".to_owned()),
            storage_class_name: Some(String::new()),
            volume_mode: Some("Filesystem".to_owned()),
            mount_options: Some(mount_options.clone()),
            nfs: Some(NFSVolumeSource { server: server.clone(), path: path.clone(), read_only: None }),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("PersistentVolumeClaim".to_owned()),
                namespace: Some(stack.id.namespace.clone()),
                name: Some(volume.claim.clone()),
                ..ObjectReference::default()
            }),
            ..PersistentVolumeSpec::default()
        }),
        ..PersistentVolume::default()
    })
}
