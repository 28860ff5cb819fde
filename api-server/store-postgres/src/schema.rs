//! Migrations and the schema version. The migrations themselves are in `migrations/`.

use std::sync::{Arc, LazyLock};

use sqlx::{
    PgExecutor, PgPool,
    migrate::{MigrateError, Migrator},
};
use todostack_store::{Error, Result, SchemaVersion};

use crate::{connect::ReconnectingConnection, errors::store_error};

/// Migrations are compatible with the previous release, which still runs during a rollout.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    // After a rollback, the database has migrations of a newer release.
    migrator.set_ignore_missing(true);
    migrator
});

fn wanted() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Runs missing migrations under an advisory lock, since several processes may start at once.
pub(crate) async fn migrate(pool: &PgPool) -> Result<SchemaVersion> {
    MIGRATOR.run(pool).await.map_err(|error| match error {
        MigrateError::Execute(error) => store_error(error).during_migration(),
        other => Error::Migration(Arc::new(other)),
    })?;
    SchemaVersion::of(applied_version(pool).await.map_err(store_error), wanted())
}

pub(crate) async fn version(connection: &mut ReconnectingConnection) -> Result<SchemaVersion> {
    SchemaVersion::of(
        connection.run(async |connection| applied_version(connection).await.map_err(store_error)).await,
        wanted(),
    )
}

/// Not checked by the compiler, since sqlx creates the table with the first migration.
async fn applied_version<'e>(executor: impl PgExecutor<'e>) -> sqlx::Result<i64> {
    sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(executor)
        .await
}
