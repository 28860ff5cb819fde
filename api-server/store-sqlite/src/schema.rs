//! The schema's version and its migrations.

use std::sync::{Arc, LazyLock};

use sqlx::{SqliteConnection, SqlitePool, migrate::Migrator};
use todostack_store::{Error, Result, SchemaVersion};

use crate::errors::store_error;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    // A newer release has been here: its migrations are not ours to judge.
    migrator.set_ignore_missing(true);
    migrator
});

fn wanted() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Runs what is missing.
pub(crate) async fn migrate(pool: &SqlitePool) -> Result<SchemaVersion> {
    MIGRATOR.run(pool).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => match store_error(error) {
            unavailable @ Error::Unavailable(_) => unavailable,
            other => Error::Migration(Arc::new(other)),
        },
        other => Error::Migration(Arc::new(other)),
    })?;
    version(pool).await
}

pub(crate) async fn version(pool: &SqlitePool) -> Result<SchemaVersion> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    found(&mut connection).await
}

/// Unchecked, since the table is sqlx's own and is not there before the first migration.
async fn found(connection: &mut SqliteConnection) -> Result<SchemaVersion> {
    let version = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(connection)
        .await;
    match version.map_err(store_error) {
        Ok(found) => Ok(SchemaVersion { found, wanted: wanted() }),
        Err(Error::SchemaOutdated(_)) => Ok(SchemaVersion { found: 0, wanted: wanted() }),
        Err(error) => Err(error),
    }
}
