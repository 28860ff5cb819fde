//! Chooses and opens the database: `DATABASE_URL`, else the `PG*` variables, else a SQLite file. Queries are
//! in the stores, and why a file cannot be written in `database/file_fault`.

mod file_fault;

use std::{
    fmt, fs,
    path::{self, Path},
    str::FromStr as _,
    sync::Arc,
};

use anyhow::{Context as _, bail, ensure};
use todostack_store::{Error, Store};
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
    /// Whether it is the SQLite file that is used when no database is named.
    pub(crate) is_default: bool,
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
        let DatabaseArgs { database_url, sqlite_file, pghost, pgpassword_file, database_max_connections } =
            args;
        let password_file = pgpassword_file.as_deref();
        let target = match (database_url.as_deref(), pghost) {
            // sqlx reads PG* for all that a URL does not name.
            (None, Some(_)) => postgres("postgres://", password_file)?,
            (None, None) => sqlite(SqliteConnectOptions::new().filename(sqlite_file))?,
            (Some(url), _) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                postgres(url, password_file)?
            }
            (Some(url), _) if url.starts_with("sqlite:") => sqlite_url(url)?,
            (Some(_), _) => bail!(
                "DATABASE_URL must start with postgres:// or sqlite://, such as \
                 postgres://user@host/database or sqlite:///data/todos.db"
            ),
        };
        let is_default = database_url.is_none() && pghost.is_none();
        Ok(Self { target, max_connections: *database_max_connections, is_default })
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

    /// The fault of a SQLite file that cannot be written, else the error.
    pub(crate) fn explain(&self, error: Error) -> anyhow::Error {
        let fault = match &self.target {
            // It tries to write, so not before an error.
            Target::Sqlite(options) => file_fault::find(options.get_filename()),
            Target::Postgres(_) => None,
        };
        match fault {
            Some(fault) => fault.into(),
            None => anyhow::Error::from(error).context(format!("failed on {self}")),
        }
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
                    database = %self,
                    connections,
                    error,
                    "Failed to read the connection limit of the database: using the default pool size. Requests \
                     get 503 until the database answers; DATABASE_URL and the PG variables name it"
                );
                connections
            }
        }
    }
}

fn postgres(url: &str, password_file: Option<&Path>) -> anyhow::Result<Target> {
    // The source would repeat the URL and with it the password.
    let mut options = PgConnectOptions::from_str(url).map_err(|_| {
        anyhow::anyhow!("DATABASE_URL is not a valid URL such as postgres://user@host/database")
    })?;
    if let Some(file) = password_file {
        options = options.password(&password(file)?);
    }
    Ok(Target::Postgres(Box::new(options)))
}

fn password(file: &Path) -> anyhow::Result<String> {
    let failed = || format!("failed to read the password in {} (PGPASSWORD_FILE)", file.display());
    let text = fs::read_to_string(file).with_context(failed)?;
    // As Postgres reads POSTGRES_PASSWORD_FILE, and as `echo` writes it.
    let password = text.trim_end_matches(['\r', '\n']);
    ensure!(!password.is_empty(), "{} (PGPASSWORD_FILE) is empty: write the password to it", file.display());
    Ok(password.to_owned())
}

fn sqlite_url(url: &str) -> anyhow::Result<Target> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        bail!("DATABASE_URL must name a file: an in-memory database is lost with its first connection");
    }
    let options =
        SqliteConnectOptions::from_str(url).context("DATABASE_URL is not a valid URL of a SQLite file")?;
    sqlite(options)
}

fn sqlite(options: SqliteConnectOptions) -> anyhow::Result<Target> {
    let file = options.get_filename();
    // Users read it in messages.
    let file = path::absolute(file).with_context(|| format!("failed to find {}", file.display()))?;
    Ok(Target::Sqlite(Box::new(options.filename(file))))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(url: &str) -> DatabaseArgs {
        DatabaseArgs {
            database_url: Some(url.to_owned()),
            sqlite_file: "todos.db".into(),
            pghost: None,
            pgpassword_file: None,
            database_max_connections: None,
        }
    }

    #[test]
    fn without_a_database_it_is_the_sqlite_file_in_the_working_directory() {
        let database = Database::from_args(&DatabaseArgs { database_url: None, ..at("") }).unwrap();
        let file = std::env::current_dir().unwrap().join("todos.db");
        assert_eq!(database.to_string(), format!("sqlite://{}", file.display()));
        assert!(database.is_default);
        assert!(!Database::from_args(&at("sqlite:///data/todos.db")).unwrap().is_default);
    }

    #[rstest]
    #[case::line("s3cret\n", Ok("s3cret"))]
    #[case::from_windows("s3cret\r\n", Ok("s3cret"))]
    #[case::spaces(" s3 cret ", Ok(" s3 cret "))]
    #[case::empty("\n", Err("is empty"))]
    fn a_password_is_read_from_its_file(#[case] content: &str, #[case] expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        assert!(password(&file).unwrap_err().to_string().contains("PGPASSWORD_FILE"));
        fs::write(&file, content).unwrap();
        match (password(&file), expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error}"),
            (read, _) => panic!("{read:?}"),
        }
    }

    #[rstest]
    #[case::in_memory("sqlite::memory:")]
    #[case::in_memory_by_a_parameter("sqlite://todos.db?mode=memory")]
    #[case::another_database("mysql://user:s3cret@host/database")]
    #[case::not_a_url("postgres://user:s3cret@host:port/database")]
    fn an_invalid_url_is_an_error_that_shows_nothing_of_it(#[case] url: &str) {
        let error = format!("{:#}", Database::from_args(&at(url)).map(drop).unwrap_err());
        assert!(error.starts_with("DATABASE_URL ") && !error.contains("s3cret"), "{error}");
    }

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
        let args = DatabaseArgs { database_max_connections: connections, ..at(url) };
        let runtimes = [Handle::current(), Handle::current()];
        assert_eq!(Database::from_args(&args).unwrap().open_on(&runtimes).await.len(), stores);
    }
}
