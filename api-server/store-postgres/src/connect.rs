//! Connections: their settings, and one that is made again when it was lost. Who uses which is not decided here.

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
/// How long a connection may take to be made.
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

    pub(crate) fn lasting(&self) -> LastingConnection {
        LastingConnection { options: self.options.clone(), open: None }
    }

    /// For batches: one plan per statement, which uses indexes. Otherwise Postgres plans each small batch again, which takes longer than
    /// running it, and a plan made while the table is small may read all of the table.
    pub(crate) fn lasting_for_batches(&self) -> LastingConnection {
        let settings = [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];
        LastingConnection { options: self.options.clone().options(settings), open: None }
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
pub(crate) struct LastingConnection {
    options: PgConnectOptions,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: PgConnection,
    used: Instant,
    /// A statement was begun; still so at the next use if whoever began it went away meanwhile.
    busy: bool,
}

impl Open {
    /// Whether it can be used. Asking it also reads to its end what the last statement has left.
    async fn is_sound(&mut self) -> bool {
        let trusted = !self.busy && self.used.elapsed() < TRUSTED_WHEN_IDLE;
        trusted || matches!(timeout(CONNECT_TIMEOUT, self.connection.ping()).await, Ok(Ok(())))
    }
}

impl LastingConnection {
    /// Runs a statement. Whatever fails at the connection closes it; the next call opens another.
    pub(crate) async fn run<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let open = self.sound().await?;
        open.busy = true;
        let answer = timeout(ANSWER_TIMEOUT, statement(&mut open.connection)).await;
        let result = answer.unwrap_or_else(|elapsed| Err(Error::Unavailable(Arc::new(elapsed))));
        (open.used, open.busy) = (Instant::now(), false);
        if matches!(result, Err(Error::Unavailable(_))) {
            self.open = None;
        }
        result
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) async fn close(self) {
        if let Some(Open { connection, .. }) = self.open {
            // One that cannot even be closed is closed by being dropped.
            drop(timeout(CONNECT_TIMEOUT, connection.close()).await);
        }
    }

    async fn sound(&mut self) -> Result<&mut Open> {
        if let Some(open) = &mut self.open
            && !open.is_sound().await
        {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => Open { connection: connect(&self.options).await?, used: Instant::now(), busy: false },
        };
        Ok(self.open.insert(open))
    }
}
