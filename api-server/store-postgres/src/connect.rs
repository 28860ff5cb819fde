//! Connections: their settings, and one that reconnects. What uses them is in `lib.rs`.

use std::{sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use todostack_store::{Error, Result};
use tokio::time::{Instant, timeout};

/// The timeout of a statement, enforced by the server.
const STATEMENT_TIMEOUT: &str = "5s";
/// The timeout of a migration that waits for a lock. It is tried again after a pause.
const LOCK_TIMEOUT: &str = "3s";
/// The timeout of a response: longer than that of the statement, so that only a silent network exceeds it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(7);
/// The timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is pinged before use, since the database may have restarted. A ping
/// is a round trip.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

#[derive(Clone)]
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
            // The default of sqlx is for servers before Postgres 12, and poolers reject it.
            .extra_float_digits(None)
            .disable_statement_logging();
        Self { options }
    }

    /// One connection for migrations: no timeout for statements, but one for locks, since all other
    /// statements wait behind a migration that waits for a lock: shorter than theirs, so that none fails.
    pub(crate) fn migration_pool(&self) -> PgPool {
        let options = self.migration_options();
        PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(options)
    }

    /// One connection for the lock of migrations, which is idle while they run.
    pub(crate) async fn lock_connection(&self) -> Result<PgConnection> {
        connect(&self.migration_options().options([("idle_in_transaction_session_timeout", "0")])).await
    }

    fn migration_options(&self) -> PgConnectOptions {
        self.options.clone().options([("statement_timeout", "0"), ("lock_timeout", LOCK_TIMEOUT)])
    }

    /// Fails with the reason when no connection can be opened, or when a pooler in transaction mode loses
    /// prepared statements: it gives the second connection the server that the first has just used, where a
    /// statement of the same name exists. In session mode, and without a pooler, each has a server of its
    /// own.
    pub(crate) async fn probe(&self) -> Result<()> {
        let mut connections = [connect(&self.options).await?, connect(&self.options).await?];
        for connection in &mut connections {
            sqlx::query("select 1").execute(connection).await?;
        }
        for connection in connections {
            connection.close().await?;
        }
        Ok(())
    }

    /// The limit of connections that the server has for this role, for all replicas together.
    pub(crate) async fn connection_limit(&self) -> Result<u32> {
        let mut connection = connect(&self.options).await?;
        let limit = sqlx::query_scalar!(
            r#"
            select least(
                current_setting('max_connections')::int
                    - current_setting('superuser_reserved_connections')::int,
                (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)
            ) as "limit!"
            "#
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok(u32::try_from(limit).unwrap_or(0))
    }

    pub(crate) fn connection(&self) -> ReconnectingConnection {
        ReconnectingConnection { options: self.options.clone(), open: None }
    }

    /// For batches: one plan per statement, which uses indexes. Otherwise Postgres plans each small batch
    /// again, which takes longer than running it, and a plan made while the table is small may read the whole
    /// table.
    pub(crate) fn connection_for_batches(&self) -> ReconnectingConnection {
        let settings = [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];
        ReconnectingConnection { options: self.options.clone().options(settings), open: None }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    match timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connection) => Ok(connection?),
        Err(elapsed) => Err(Error::Unavailable(Arc::new(elapsed))),
    }
}

/// Whether the server responds, and refuses another connection: the credentials have changed since, or it has
/// as many connections as it allows.
pub(crate) fn is_refused(error: &Error) -> bool {
    /// `too_many_connections`.
    const TOO_MANY: &str = "53300";
    match error {
        Error::LoginRefused(_) => true,
        Error::Unavailable(source) => source
            .downcast_ref::<sqlx::Error>()
            .and_then(|source| source.as_database_error()?.code())
            .is_some_and(|code| code == TOO_MANY),
        _ => false,
    }
}

/// One connection, opened with the first statement, and again after it was lost.
pub(crate) struct ReconnectingConnection {
    options: PgConnectOptions,
    open: Option<Open>,
}

struct Open {
    connection: PgConnection,
    used: Instant,
    /// A statement is running. Still set at the next use if its request was canceled.
    busy: bool,
}

impl Open {
    /// A ping also reads the rest of what a canceled statement returned.
    async fn is_usable(&mut self) -> bool {
        if !self.busy && self.used.elapsed() < PING_AFTER_IDLE {
            return true;
        }
        let is_answered = matches!(timeout(CONNECT_TIMEOUT, self.connection.ping()).await, Ok(Ok(())));
        (self.used, self.busy) = (Instant::now(), false);
        is_answered
    }
}

impl ReconnectingConnection {
    /// Runs a statement. When the connection fails, it is closed, and the next call opens another.
    pub(crate) async fn run<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let open = self.usable().await?;
        open.busy = true;
        let outcome = timeout(RESPONSE_TIMEOUT, statement(&mut open.connection)).await;
        let result = outcome.unwrap_or_else(|elapsed| Err(Error::Unavailable(Arc::new(elapsed))));
        (open.used, open.busy) = (Instant::now(), false);
        if matches!(result, Err(Error::Unavailable(_))) {
            self.open = None;
        }
        result
    }

    /// Opens it, if it is not open and usable.
    pub(crate) async fn open(&mut self) -> Result<()> {
        self.usable().await.map(drop)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) async fn close(self) {
        if let Some(Open { connection, .. }) = self.open {
            // Dropping it closes a connection that does not respond.
            drop(timeout(CONNECT_TIMEOUT, connection.close()).await);
        }
    }

    async fn usable(&mut self) -> Result<&mut Open> {
        // Taken out while it is pinged: if the request is canceled meanwhile, the connection is closed. It
        // would be pinged again by each request otherwise, and readiness checks are canceled before a ping
        // that gets no answer ends.
        let usable = match self.open.take() {
            Some(mut open) => open.is_usable().await.then_some(open),
            None => None,
        };
        let open = match usable {
            Some(open) => open,
            None => Open { connection: connect(&self.options).await?, used: Instant::now(), busy: false },
        };
        Ok(self.open.insert(open))
    }
}
