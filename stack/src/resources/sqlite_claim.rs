//! The PersistentVolumeClaim of the SQLite file.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use super::postgres_claim;
use crate::{
    build::Desired,
    labels::{self, Component},
    part::Part,
    stack::{Database, Sqlite, Stack},
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    match &stack.database {
        Database::Sqlite(sqlite) if !stack.is_blocked(Part::Storage) => {
            Desired::apply(Some(build(stack, sqlite)))
        }
        Database::Sqlite(_) | Database::Postgres(_) | Database::External(_) => Desired::Keep,
    }
}

pub(super) fn build(stack: &Stack, sqlite: &Sqlite) -> PersistentVolumeClaim {
    let volume = &sqlite.volume;
    PersistentVolumeClaim {
        metadata: labels::unowned(stack, volume.claim.clone(), Component::Database),
        spec: Some(postgres_claim::spec(&volume.requested)),
        ..PersistentVolumeClaim::default()
    }
}
