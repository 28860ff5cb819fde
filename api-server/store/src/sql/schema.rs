//! Migrations and the schema version. The migrations themselves are in `migrations/` of each implementation.

use std::{ops::Deref, sync::Arc};

use sqlx::{
    Acquire,
    migrate::{Migrate, MigrateError, Migrator},
};

use crate::{Error, Result, SchemaVersion};

/// The migrations of this release. They are compatible with the previous release, which still runs during a
/// rollout.
pub struct Schema(Migrator);

/// A migration that the database rejected.
#[derive(Debug, thiserror::Error)]
#[error("migration {number} failed")]
struct FailedMigration {
    number: i64,
    source: Error,
}

/// Whether a migration may succeed later: a server comes back, a lock that another migration or a user's
/// transaction holds becomes free, and someone corrects a pooler.
fn passes(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::TimedOut(_) | Error::Pooler(..))
}

impl Schema {
    /// Selects the number of the last migration. Not checked by the compiler, since sqlx creates the table
    /// with the first migration.
    pub const FOUND: &str = "select coalesce(max(version), 0) from _sqlx_migrations where success";

    /// From `sqlx::migrate!()`.
    pub fn new(mut migrator: Migrator) -> Self {
        // After a rollback, the database has migrations of a newer release.
        migrator.set_ignore_missing(true);
        // The lock of sqlx belongs to a session. A pooler in transaction mode would never release it.
        migrator.set_locking(false);
        Self(migrator)
    }

    /// Runs missing migrations. The caller holds a lock, since several processes may start at once.
    pub async fn migrate<'a, A>(&self, database: A) -> Result<()>
    where
        A: Acquire<'a>,
        <A::Connection as Deref>::Target: Migrate,
    {
        self.0.run(database).await.map_err(|error| match error {
            MigrateError::Execute(error) => match error.into() {
                passing if passes(&passing) => passing,
                permanent => Error::Migration(Arc::new(permanent)),
            },
            MigrateError::ExecuteMigration(error, number) => match error.into() {
                passing if passes(&passing) => passing,
                source => Error::Migration(Arc::new(FailedMigration { number, source })),
            },
            other => Error::Migration(Arc::new(other)),
        })
    }

    /// Compares the result of [`Schema::FOUND`] with the last migration of this release.
    pub fn version(&self, found: Result<i64>) -> Result<SchemaVersion> {
        let wanted = self.0.iter().map(|migration| migration.version).max().unwrap_or(0);
        match found {
            Ok(found) => Ok(SchemaVersion { found, wanted }),
            // Before the first migration, its table does not exist.
            Err(Error::SchemaOutdated(_)) => Ok(SchemaVersion { found: 0, wanted }),
            Err(error) => Err(error),
        }
    }
}
