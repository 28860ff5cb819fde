//! The temporary Postgres of the unit tests, and the check of the stores' prepared queries against it. How a
//! server is started and removed is in `dev-postgres/`, how queries are prepared in `api-server/prepare`.

use std::process::Command;

use todostack_dev_postgres::{Options, Postgres};
use todostack_testbed::{prerequisites, process, progress};

use crate::repository;

/// Starts a server, which is removed when dropped.
pub(super) fn start() -> anyhow::Result<Postgres> {
    prerequisites::programs(&[prerequisites::POSTGRES, prerequisites::POOLER].concat())?;
    // A crash of the machine ends the tests too, so nothing has to reach the disk. Each of the tests, which
    // run in parallel, opens some connections of its own.
    let options = Options::default().without_durability().setting("max_connections", "300");
    Ok(progress::step("Starting a temporary Postgres", "3 s", || Postgres::start(&options))?)
}

/// Fails when `.sqlx` of a store is not what the compiler would get from a migrated database.
pub(super) fn check_queries() -> anyhow::Result<()> {
    prerequisites::programs(prerequisites::QUERIES)?;
    let database = start()?;
    let mut prepare = Command::new(repository::root().join("api-server/prepare"));
    Ok(process::stream(prepare.arg("--check").env("DATABASE_URL", database.url()), |_| {})?)
}
