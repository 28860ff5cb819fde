//! The schema's version and its migrations.

use std::sync::{Arc, LazyLock};

use sqlx::{
    PgExecutor, PgPool,
    migrate::{MigrateError, Migrator},
};
use todostack_store::{Error, Result, SchemaVersion};

use crate::{connect::LastingConnection, errors::store_error};

/// Migrations only expand: what the release before reads and writes stays valid until the release after.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    // A newer release has been here: its migrations are not ours to judge.
    migrator.set_ignore_missing(true);
    migrator
});

fn wanted() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Runs what is missing, under an advisory lock, so that several processes may start at once.
pub(crate) async fn migrate(pool: &PgPool) -> Result<SchemaVersion> {
    MIGRATOR.run(pool).await.map_err(|error| match error {
        MigrateError::Execute(error) => store_error(error).during_migration(),
        other => Error::Migration(Arc::new(other)),
    })?;
    SchemaVersion::of(found(pool).await.map_err(store_error), wanted())
}

pub(crate) async fn version(connection: &mut LastingConnection) -> Result<SchemaVersion> {
    SchemaVersion::of(
        connection.run(async |connection| found(connection).await.map_err(store_error)).await,
        wanted(),
    )
}

/// Unchecked, since the table is sqlx's own and is not there before the first migration.
async fn found<'e>(executor: impl PgExecutor<'e>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(executor)
        .await
}
