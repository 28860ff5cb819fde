//! The temporary Postgres of the unit tests. How a server is started and removed is in `dev-postgres/`.

use todostack_dev_postgres::{Options, Postgres};
use todostack_testbed::{prerequisites, progress};

/// Starts a server, which is removed when dropped.
pub(super) fn start() -> anyhow::Result<Postgres> {
    prerequisites::programs(prerequisites::POSTGRES)?;
    // A crash of the machine ends the tests too, so nothing has to reach the disk. Each of the tests, which
    // run in parallel, opens some connections of its own.
    let options = Options::default().without_durability().setting("max_connections", "300");
    Ok(progress::step("Starting a temporary Postgres", "3 s", || Postgres::start(&options))?)
}
