//! `todostack-api migrate`: waits until the database accepts the connection, migrates it, reports the
//! version. With `--check` it reads the version once. The migrations are in the stores.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use todostack_store::{Error, SchemaVersion};
use tokio::time::sleep;

use crate::{chain::chain, config::MigrateArgs, database::Database};

/// A server that starts is ready within seconds.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(1);
/// Someone corrects the server, or ends what holds a lock. Other statements proceed in the pause.
const RETRY_OTHER: Duration = Duration::from_secs(5);

/// With `--check`, fails when a migration is needed.
pub async fn run(database: Database, args: MigrateArgs) -> anyhow::Result<()> {
    let MigrateArgs { check, report_file } = args;
    let store = database.open().await;
    let version = loop {
        let answer = if check { store.schema_version().await } else { store.migrate().await };
        match answer {
            Ok(version) => break version,
            // A file that cannot be written does not become so by waiting.
            Err(error) => match pause(&error).filter(|_| !check && !database.is_sqlite()) {
                Some(pause) => {
                    tracing::warn!(database = %database, error = chain(&error), "Waiting for the database");
                    sleep(pause).await;
                }
                None => return Err(database.explain(error)),
            },
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

/// The pause after an error that may pass without a change of this command: also a role that does not exist
/// yet, or has another password.
fn pause(error: &Error) -> Option<Duration> {
    match error {
        Error::Unavailable(_) => Some(RETRY_UNAVAILABLE),
        Error::TimedOut(_) | Error::Pooler(..) | Error::LoginRefused(_) => Some(RETRY_OTHER),
        _ => None,
    }
}
