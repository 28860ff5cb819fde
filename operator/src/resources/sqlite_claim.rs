//! The claim under the SQLite file.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use super::postgres_claim;
use crate::{
    labels::{self, Component},
    stack::{Sqlite, Stack, VolumeSource},
};

/// Builds it.
#[must_use]
pub fn build(stack: &Stack, sqlite: &Sqlite) -> PersistentVolumeClaim {
    let volume = &sqlite.volume;
    let class = match &volume.source {
        VolumeSource::Class(class) => class.clone(),
        VolumeSource::Nfs { .. } => Some(String::new()),
    };
    PersistentVolumeClaim {
        metadata: labels::kept(stack, volume.claim.clone(), Component::Database),
        spec: Some(postgres_claim::spec(volume.size.clone(), class, None)),
        ..PersistentVolumeClaim::default()
    }
}
