//! The prepared queries of the stores are up to date. How they are prepared is in `api-server/prepare`.

use std::process::Command;

use todostack_testbed::{prerequisites, process};

use super::database;
use crate::repository;

/// Fails when `.sqlx` of a store is not what the compiler would get from a migrated database.
pub(super) fn check() -> anyhow::Result<()> {
    prerequisites::programs(prerequisites::QUERIES)?;
    let database = database::start()?;
    let mut prepare = Command::new(repository::root().join("api-server/prepare"));
    Ok(process::stream(prepare.arg("--check").env("DATABASE_URL", database.url()), |_| {})?)
}
