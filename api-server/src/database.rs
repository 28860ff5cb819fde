//! Which database: `DATABASE_URL`, else the `PG*` variables, else a SQLite file, so that it runs at once.

use std::{fmt, path::Path, str::FromStr as _, sync::Arc};

use anyhow::{Context as _, bail};
use todostack_store::Store;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};

use crate::config::DatabaseArgs;

/// What kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server that many replicas share.
    Postgres,
    /// A file of this process.
    Sqlite,
}

/// A database that can be opened. Its texts never hold the password.
#[derive(Clone)]
pub struct Database {
    target: Target,
    pool_size: u32,
}

#[derive(Clone)]
enum Target {
    Postgres(Box<PgConnectOptions>),
    Sqlite(Box<SqliteConnectOptions>),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
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
    /// From what the command line and the environment say.
    pub fn from_args(args: &DatabaseArgs) -> anyhow::Result<Self> {
        let DatabaseArgs { database_url, pghost, database_max_connections } = args;
        let target = match (database_url.as_deref(), pghost) {
            // `postgres://` alone reads all of PG*.
            (None, Some(_)) => postgres("postgres://")?,
            (None, None) => sqlite("sqlite://todos.db")?,
            (Some(url), _) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                postgres(url)?
            }
            (Some(url), _) if url.starts_with("sqlite:") => sqlite(url)?,
            (Some(_), _) => bail!("DATABASE_URL must begin with postgres:// or sqlite://"),
        };
        let pool_size = database_max_connections.saturating_sub(PostgresStore::BESIDE_THE_POOL).max(1);
        Ok(Self { target, pool_size })
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.target {
            Target::Postgres(_) => Kind::Postgres,
            Target::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// Opens it; a database that is away is noticed only by the first question.
    #[must_use]
    pub fn open(&self) -> Arc<dyn Store> {
        match &self.target {
            Target::Postgres(options) => Arc::new(PostgresStore::new((**options).clone(), self.pool_size)),
            Target::Sqlite(options) => Arc::new(SqliteStore::new((**options).clone())),
        }
    }
}

fn postgres(url: &str) -> anyhow::Result<Target> {
    // The error would repeat the URL and with it the password.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| anyhow::anyhow!("DATABASE_URL is no address such as postgres://user@host/database"))?;
    Ok(Target::Postgres(Box::new(options)))
}

fn sqlite(url: &str) -> anyhow::Result<Target> {
    let options =
        SqliteConnectOptions::from_str(url).context("DATABASE_URL is no address of a SQLite file")?;
    if options.get_filename() == Path::new(":memory:") || url.contains(":memory:") {
        bail!("DATABASE_URL must name a file: a database in memory is lost with its first connection");
    }
    Ok(Target::Sqlite(Box::new(options)))
}
