//! The PersistentVolumeClaim of the SQLite file.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use super::postgres_claim;
use crate::{
    build::Desired,
    labels::{self, Component},
    stack::{Database, Sqlite, Stack, VolumeSource},
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    match &stack.database {
        Database::Sqlite(sqlite) => Desired::apply(Some(build(stack, sqlite))),
        Database::Postgres(_) | Database::External(_) => Desired::Keep,
    }
}

pub(super) fn build(stack: &Stack, sqlite: &Sqlite) -> PersistentVolumeClaim {
    let volume = &sqlite.volume;
    let class = match &volume.source {
        VolumeSource::Class(class) => class.clone(),
        VolumeSource::Nfs { .. } => Some(String::new()),
    };
    PersistentVolumeClaim {
        metadata: labels::unowned(stack, volume.claim.clone(), Component::Database),
        spec: Some(postgres_claim::spec(volume.size.clone(), class, None)),
        ..PersistentVolumeClaim::default()
    }
}
