//! A service under test: the real server on a free port, over an empty database. What it must do is in the
//! tests.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    str::FromStr as _,
    sync::Arc,
};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use todostack_api::{AppState, Settings, api, auth::Auth, listener, probes};
use todostack_store::Store;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};
use tokio::net::TcpListener;

use crate::client::Client;

/// The database of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Postgres,
    Sqlite,
}

/// A running service. It stops with the runtime of the test.
pub struct Service {
    pub client: Client,
    pub probes: Client,
    pub state: AppState,
    pub store: Arc<dyn Store>,
    postgres: Option<PgConnectOptions>,
    _file: Option<TempDir>,
}

impl Service {
    pub async fn start(on: On) -> Self {
        Self::start_with(on, Settings::default()).await
    }

    pub async fn start_with(on: On, settings: Settings) -> Self {
        let mut postgres = None;
        let (store, file): (Arc<dyn Store>, _) = match on {
            On::Postgres => {
                let options = postgres.insert(fresh_postgres().await).clone();
                (Arc::new(PostgresStore::new(options, 4)), None)
            }
            On::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let options = SqliteConnectOptions::new().filename(folder.path().join("todos.db"));
                (Arc::new(SqliteStore::new(options)), Some(folder))
            }
        };
        store.migrate().await.unwrap();
        Self { postgres, ..Self::over(store, settings, file).await }
    }

    /// A connection to the Postgres database of this service.
    pub async fn postgres(&self) -> PgConnection {
        let options = self.postgres.as_ref().expect("the service runs on Postgres");
        PgConnection::connect_with(options).await.unwrap()
    }

    /// The same service, which now requires a token.
    pub async fn with_auth(self, auth: Auth) -> Self {
        let state = AppState::new(Arc::clone(&self.store), Settings::default(), Some(auth), None);
        let probes = listen(probes::router(state.clone())).await.undocumented();
        Self { client: listen(api(state.clone())).await, probes, state, ..self }
    }

    /// A service over a store that it does not migrate.
    pub async fn over(store: Arc<dyn Store>, settings: Settings, file: Option<TempDir>) -> Self {
        let state = AppState::new(Arc::clone(&store), settings, None, None);
        let client = listen(api(state.clone())).await;
        let probes = listen(probes::router(state.clone())).await.undocumented();
        Self { client, probes, state, store, postgres: None, _file: file }
    }
}

/// Makes two tests of each function: on Postgres and on SQLite.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            use crate::service::{On, Service};

            #[tokio::test]
            async fn postgres() {
                super::$test(Service::start(On::Postgres).await).await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::$test(Service::start(On::Sqlite).await).await;
            }
        })+
    };
}
pub(crate) use on_both_databases;

pub async fn listen(app: axum::Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener::serve(listener, app, std::future::pending()));
    Client::new(format!("http://{address}"))
}

/// The server in `DATABASE_URL`.
pub fn postgres_server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    assert!(
        url.starts_with("postgres"),
        "set DATABASE_URL to a Postgres server where databases can be created, as `cargo xtask test` does"
    );
    PgConnectOptions::from_str(&url).unwrap()
}

/// An empty database, named after the test. The next run of the test replaces it.
pub async fn fresh_postgres() -> PgConnectOptions {
    let mut hasher = DefaultHasher::new();
    std::thread::current().name().expect("the thread has the name of its test").hash(&mut hasher);
    // Names of tests can be longer than the 63 bytes of an identifier in Postgres.
    let name = format!("todostack_test_{:016x}", hasher.finish());
    let server = postgres_server();
    let mut connection = PgConnection::connect_with(&server).await.expect("DATABASE_URL accepts connections");
    for statement in
        [format!("drop database if exists {name} with (force)"), format!("create database {name}")]
    {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    server.database(&name)
}
