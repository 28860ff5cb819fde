//! Connections: their settings, the pool, and the lone connection of a lane with its reconnecting.

use std::{sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use todostack_store::{Error, Result};
use tokio::time::{Instant, timeout};

use crate::errors::store_error;

/// How long one statement may run on the server.
const STATEMENT_TIMEOUT: &str = "5s";
/// How long an answer is waited for: longer than the statement may take, so that only a silent network ends it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(7);
/// How long a connection may take to be made, or to be free in the pool.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection unused for longer is tried before use, since the database may have restarted. Each try is a round trip.
const TRUSTED_WHEN_IDLE: Duration = Duration::from_secs(1);

/// How to reach the database.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    options: PgConnectOptions,
}

impl Connector {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        let options = options
            .application_name("todostack-api")
            .options([
                ("statement_timeout", STATEMENT_TIMEOUT),
                ("idle_in_transaction_session_timeout", "10s"),
            ])
            .disable_statement_logging();
        Self { options }
    }

    pub(crate) fn pool(&self, size: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(CONNECT_TIMEOUT)
            .idle_timeout(Duration::from_mins(5))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_WHEN_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// One connection for migrations: no limit for a statement, but one for waiting on a lock, behind which all others wait.
    pub(crate) fn patient(&self) -> PgPool {
        let options = self.options.clone().options([("statement_timeout", "0"), ("lock_timeout", "30s")]);
        PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(options)
    }

    /// Whether a connection can be made, and if not, why.
    pub(crate) async fn probe(&self) -> Result<()> {
        connect(&self.options).await?.close().await.map_err(store_error)
    }

    /// How many connections the server grants this role, all replicas together.
    pub(crate) async fn granted(&self) -> Result<u32> {
        let mut connection = connect(&self.options).await?;
        let granted = sqlx::query_scalar!(
            r#"
            select least(
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)
            ) as "granted!"
            "#
        )
        .fetch_one(&mut connection)
        .await
        .map_err(store_error)?;
        connection.close().await.map_err(store_error)?;
        Ok(u32::try_from(granted).unwrap_or(0))
    }

    pub(crate) fn lane(&self) -> LaneConnection {
        LaneConnection { options: self.options.clone(), open: None }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    match timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connection) => connection.map_err(store_error),
        Err(elapsed) => Err(Error::Unavailable(Arc::new(elapsed))),
    }
}

/// One connection that is made when first needed and again when it was lost.
#[derive(Debug)]
pub(crate) struct LaneConnection {
    options: PgConnectOptions,
    open: Option<(PgConnection, Instant)>,
}

impl LaneConnection {
    /// Runs a statement. Whatever fails at the connection closes it; the next call opens another.
    pub(crate) async fn run<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T> {
        let mut connection = self.take().await?;
        let result = match timeout(ANSWER_TIMEOUT, statement(&mut connection)).await {
            Ok(result) => result.map_err(store_error),
            Err(elapsed) => Err(Error::Unavailable(Arc::new(elapsed))),
        };
        if !matches!(result, Err(Error::Unavailable(_))) {
            self.open = Some((connection, Instant::now()));
        }
        result
    }

    async fn take(&mut self) -> Result<PgConnection> {
        if let Some((mut connection, used)) = self.open.take() {
            let trusted = used.elapsed() < TRUSTED_WHEN_IDLE;
            if trusted || matches!(timeout(CONNECT_TIMEOUT, connection.ping()).await, Ok(Ok(()))) {
                return Ok(connection);
            }
        }
        connect(&self.options).await
    }
}
