//! Chooses and opens the database: `DATABASE_URL`, else the `PG*` variables, else a SQLite file. Queries are
//! in the stores.

use std::{fmt, path::Path, str::FromStr as _, sync::Arc};

use anyhow::{Context as _, bail};
use todostack_store::Store;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};
use tokio::runtime::Handle;

use crate::{chain::chain, config::DatabaseArgs};

/// With fewer connections, a store would have less than two for statements that are not batched.
const FEWEST_CONNECTIONS: u32 = PostgresStore::BESIDE_THE_POOL + 2;

/// Used when the database does not answer at startup, as that of a new stack: enough for two threads, and
/// less than the share of one replica of a Postgres with its defaults (12).
const FEW_CONNECTIONS: u32 = 2 * FEWEST_CONNECTIONS;

/// A database that can be opened. `Display` never shows the password.
#[derive(Clone)]
pub struct Database {
    target: Target,
    max_connections: Option<u32>,
}

#[derive(Clone)]
enum Target {
    /// A server that many replicas share.
    Postgres(Box<PgConnectOptions>),
    /// A file of this process.
    Sqlite(Box<SqliteConnectOptions>),
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Postgres(options) => {
                let database = options.get_database().unwrap_or_else(|| options.get_username());
                write!(f, "postgres://{}@{}", options.get_username(), options.get_host())?;
                write!(f, ":{}/{database}", options.get_port())
            }
            Target::Sqlite(options) => write!(f, "sqlite://{}", options.get_filename().display()),
        }
    }
}

impl Database {
    pub fn from_args(args: &DatabaseArgs) -> anyhow::Result<Self> {
        let DatabaseArgs { database_url, pghost, database_max_connections } = args;
        let target = match (database_url.as_deref(), pghost) {
            // sqlx reads PG* for all that a URL does not name.
            (None, Some(_)) => postgres("postgres://")?,
            (None, None) => sqlite("sqlite://todos.db")?,
            (Some(url), _) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                postgres(url)?
            }
            (Some(url), _) if url.starts_with("sqlite:") => sqlite(url)?,
            (Some(_), _) => bail!("DATABASE_URL must start with postgres:// or sqlite://"),
        };
        Ok(Self { target, max_connections: *database_max_connections })
    }

    /// Caps the connections of a short-lived command such as `migrate`, so that it need not ask the server
    /// for its limit.
    pub fn with_few_connections(self) -> Self {
        Self { max_connections: Some(FEW_CONNECTIONS), ..self }
    }

    /// A copy of the SQLite file at another path, where nothing must exist. One that does not exist yet has
    /// nothing to copy.
    pub(crate) async fn copy_to(&self, path: &Path) -> anyhow::Result<Self> {
        let Target::Sqlite(options) = &self.target else {
            bail!("DATABASE_URL is not a SQLite file: only a file can be copied");
        };
        if options.get_filename().exists() {
            let copied = SqliteStore::copy((**options).clone(), path).await;
            copied.with_context(|| format!("failed to copy {self} to {}", path.display()))?;
        }
        let copy = (**options).clone().filename(path);
        Ok(Self { target: Target::Sqlite(Box::new(copy)), ..self.clone() })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.target, Target::Sqlite(_))
    }

    /// Opens the database on the current runtime. Connects only with the first query.
    pub async fn open(&self) -> Arc<dyn Store> {
        self.open_with(self.connections().await)
    }

    /// Opens the database on as many of the runtimes as its connections are enough for.
    pub async fn open_on(&self, runtimes: &[Handle]) -> Vec<(Handle, Arc<dyn Store>)> {
        let connections = self.connections().await;
        let stores =
            (connections / FEWEST_CONNECTIONS).clamp(1, u32::try_from(runtimes.len()).unwrap_or(1).max(1));
        let open = |(runtime, _): (&Handle, u32)| {
            let _guard = runtime.enter();
            (runtime.clone(), self.open_with(connections / stores))
        };
        runtimes.iter().zip(0..stores).map(open).collect()
    }

    fn open_with(&self, connections: u32) -> Arc<dyn Store> {
        match &self.target {
            Target::Postgres(options) => {
                // The batches and the health check have connections of their own.
                let pool_size = connections.saturating_sub(PostgresStore::BESIDE_THE_POOL).max(1);
                Arc::new(PostgresStore::new((**options).clone(), pool_size))
            }
            Target::Sqlite(options) => Arc::new(SqliteStore::new((**options).clone())),
        }
    }

    async fn connections(&self) -> u32 {
        let Target::Postgres(options) = &self.target else {
            // SQLite has a single writer.
            return 1;
        };
        if let Some(connections) = self.max_connections {
            return connections;
        }
        match PostgresStore::fair_share((**options).clone()).await {
            Ok(connections) => {
                tracing::info!(connections, "Sized the connection pool by the limit of the database");
                connections
            }
            Err(error) => {
                let (connections, error) = (FEW_CONNECTIONS, chain(&error));
                tracing::warn!(
                    connections,
                    error,
                    "Failed to read the connection limit of the database: using the default pool size"
                );
                connections
            }
        }
    }
}

fn postgres(url: &str) -> anyhow::Result<Target> {
    // The source would repeat the URL and with it the password.
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        anyhow::anyhow!("DATABASE_URL is not a valid URL such as postgres://user@host/database")
    })?;
    Ok(Target::Postgres(Box::new(options)))
}

fn sqlite(url: &str) -> anyhow::Result<Target> {
    let options =
        SqliteConnectOptions::from_str(url).context("DATABASE_URL is not a valid URL of a SQLite file")?;
    if options.get_filename() == Path::new(":memory:") || url.contains(":memory:") {
        bail!("DATABASE_URL must name a file: an in-memory database is lost with its first connection");
    }
    Ok(Target::Sqlite(Box::new(options)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unavailable("postgres://nobody@127.0.0.1:1/none", None, 2)]
    #[case::enough("postgres://nobody@127.0.0.1:1/none", Some(10), 2)]
    #[case::too_few("postgres://nobody@127.0.0.1:1/none", Some(9), 1)]
    #[case::fewest("postgres://nobody@127.0.0.1:1/none", Some(6), 1)]
    #[case::file("sqlite://none.db", None, 1)]
    #[tokio::test]
    async fn each_thread_has_a_store_if_there_are_enough_connections(
        #[case] url: &str,
        #[case] connections: Option<u32>,
        #[case] stores: usize,
    ) {
        let args = DatabaseArgs {
            database_url: Some(url.to_owned()),
            pghost: None,
            database_max_connections: connections,
        };
        let runtimes = [Handle::current(), Handle::current()];
        assert_eq!(Database::from_args(&args).unwrap().open_on(&runtimes).await.len(), stores);
    }
}
