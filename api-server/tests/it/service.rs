//! A service under test: the real server on a port of its own, over an empty database of its own.

use std::{str::FromStr as _, sync::Arc};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use todostack_api::{AppState, Settings, api, auth::Auth, operations::operations, server};
use todostack_store::Store;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};
use tokio::net::TcpListener;

use crate::client::Client;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Postgres,
    Sqlite,
}

/// A running service. It ends with the test's runtime.
pub struct Service {
    pub client: Client,
    pub operations: Client,
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

    /// How to reach the Postgres of this service beside it.
    pub fn postgres(&self) -> PgConnectOptions {
        self.postgres.clone().expect("the service runs on Postgres")
    }

    /// Lets in only callers with a token.
    pub async fn start_with_auth(on: On, auth: Auth) -> Self {
        let service = Self::start(on).await;
        let state = AppState::new(Arc::clone(&service.store), Settings::default(), Some(auth), None);
        Self { client: listen(api(state.clone())).await, state, ..service }
    }

    /// A service over a store as it is, not migrated.
    pub async fn over(store: Arc<dyn Store>, settings: Settings, file: Option<TempDir>) -> Self {
        let state = AppState::new(Arc::clone(&store), settings, None, None);
        let client = listen(api(state.clone())).await;
        let operations = listen(operations(state.clone())).await.undocumented();
        Self { client, operations, state, store, postgres: None, _file: file }
    }
}

pub async fn listen(app: axum::Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, app, std::future::pending()));
    Client::new(format!("http://{address}"))
}

/// The server that `DATABASE_URL` names.
pub fn postgres_server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    assert!(
        url.starts_with("postgres"),
        "set DATABASE_URL to a Postgres server where databases may be made, as `cargo xtask test` does"
    );
    PgConnectOptions::from_str(&url).unwrap()
}

/// An empty database, named after the test; the next run of the test replaces it.
pub async fn fresh_postgres() -> PgConnectOptions {
    let test = std::thread::current().name().expect("a test's thread has its name").to_owned();
    let digest = test.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let name = format!("todostack_test_{digest:016x}");
    let server = postgres_server();
    let mut connection = PgConnection::connect_with(&server).await.expect("DATABASE_URL must answer");
    for statement in
        [format!("drop database if exists {name} with (force)"), format!("create database {name}")]
    {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    server.database(&name)
}
