//! `todostack-api migrate`: waits for the database, migrates it, reports the version. With `--check` it reads
//! the version once. The migrations are in the stores.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use todostack_store::{Error, SchemaVersion};
use tokio::time::sleep;

use crate::{chain::chain, config::MigrateArgs, database::Database};

const RETRY_EVERY: Duration = Duration::from_secs(1);

/// With `--check`, fails when a migration is needed.
pub async fn run(database: Database, args: MigrateArgs) -> anyhow::Result<()> {
    let MigrateArgs { check, report_file } = args;
    let store = database.open().await;
    let version = loop {
        let answer = if check { store.schema_version().await } else { store.migrate().await };
        match answer {
            Ok(version) => break version,
            // Only these pass with time; a password does not become right by waiting.
            Err(error @ (Error::Unavailable(_) | Error::TimedOut(_))) if !check => {
                tracing::warn!(database = %database, error = chain(&error), "Waiting for the database");
                sleep(RETRY_EVERY).await;
            }
            Err(error) => return Err(error).with_context(|| format!("failed on {database}")),
        }
    };
    store.close().await;
    let SchemaVersion { found, wanted } = version;
    if !version.serves() {
        bail!("schema version {found}, want {wanted}: run `todostack-api migrate`");
    }
    tracing::info!(schema_version = found, "Schema is up to date");
    if let Some(file) = report_file {
        let line = format!("{}\n", json!({ "schemaVersion": found }));
        std::fs::write(&file, line).with_context(|| format!("failed to write {}", file.display()))?;
    }
    Ok(())
}
