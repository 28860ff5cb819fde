//! The PersistentVolumeClaim of Postgres. The operator writes it itself instead of by a StatefulSet's
//! template: so it can grow in place, and it exists before and after the StatefulSet.

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};

use crate::{
    build::Desired,
    labels::{self, Component},
    stack::{ClaimSpec, Postgres, Stack},
};

/// Annotation with the major version of the data.
const VERSION: &str = "todostack.dev/postgres-version";

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(stack.startable_postgres().map(|postgres| build(stack, postgres)))
}

pub(super) fn build(stack: &Stack, postgres: &Postgres) -> PersistentVolumeClaim {
    let volume = &postgres.volume;
    let mut metadata = labels::unowned(stack, volume.claim.clone(), Component::Database);
    metadata.annotations.get_or_insert_default().insert(VERSION.to_owned(), postgres.version.to_string());
    PersistentVolumeClaim {
        metadata,
        spec: Some(spec(&volume.requested)),
        ..PersistentVolumeClaim::default()
    }
}

/// The major version of the data on a PersistentVolumeClaim.
pub fn version(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.metadata.annotations.as_ref()?.get(VERSION).map(String::as_str)
}

/// A claim for one writer.
pub(super) fn spec(requested: &ClaimSpec) -> PersistentVolumeClaimSpec {
    let ClaimSpec { size, class, volume } = requested;
    PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        storage_class_name: class.clone(),
        volume_name: volume.clone(),
        volume_mode: Some("Filesystem".to_owned()),
        resources: Some(VolumeResourceRequirements {
            requests: Some([("storage".to_owned(), Quantity(size.clone()))].into()),
            ..VolumeResourceRequirements::default()
        }),
        ..PersistentVolumeClaimSpec::default()
    }
}
