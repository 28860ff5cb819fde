//! Migrations and the schema version. The migrations themselves are in `migrations/`.

use std::sync::{Arc, LazyLock};

use sqlx::{
    SqlitePool,
    migrate::{MigrateError, Migrator},
};
use todostack_store::{Error, Result, SchemaVersion};

use crate::errors::store_error;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    // After a rollback, the database has migrations of a newer release.
    migrator.set_ignore_missing(true);
    migrator
});

fn wanted() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

pub(crate) async fn migrate(pool: &SqlitePool) -> Result<SchemaVersion> {
    MIGRATOR.run(pool).await.map_err(|error| match error {
        MigrateError::Execute(error) => store_error(error).during_migration(),
        other => Error::Migration(Arc::new(other)),
    })?;
    version(pool).await
}

/// Not checked by the compiler, since sqlx creates the table with the first migration.
pub(crate) async fn version(pool: &SqlitePool) -> Result<SchemaVersion> {
    let found = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success");
    SchemaVersion::of(found.fetch_one(pool).await.map_err(store_error), wanted())
}
