//! The pool of connections for statements that are not batched. Each is used by one request at a time.
//!
//! The pool of sqlx pings a connection when it is returned, a second round trip for each statement. This one
//! pings only a connection that was idle or whose request was canceled.
//!
//! # Guarantees
//! - A request waits for a free connection in order of arrival, at most [`WAIT_TIMEOUT`]: then
//!   [`Error::Overloaded`].
//! - A canceled request returns its connection, and the next request does not see its transaction or its
//!   results.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgConnection;
use todostack_store::{Error, Result};
use tokio::{sync::Semaphore, time::timeout};

use crate::connect::{Connector, ReconnectingConnection};

/// After a longer wait a request would exceed its deadline anyway.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) struct Pool {
    connector: Connector,
    size: usize,
    free: Semaphore,
    /// The most recently used one last. Fewer than `size` until more were needed at once.
    idle: Mutex<Vec<ReconnectingConnection>>,
}

/// A connection in use, which is returned when this is dropped.
struct Borrowed<'a> {
    pool: &'a Pool,
    connection: Option<ReconnectingConnection>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        let mut idle = self.pool.idle();
        // The server is gone, and the idle connections with it: each would cost a request the timeout of a
        // ping.
        if connection.as_ref().is_some_and(|connection| !connection.is_open()) {
            idle.clear();
        }
        idle.extend(connection);
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector, size: u32) -> Self {
        let size = size.try_into().unwrap_or(Semaphore::MAX_PERMITS);
        Self { connector, size, free: Semaphore::new(size), idle: Mutex::default() }
    }

    /// Runs statements on one of the connections.
    pub(crate) async fn run<T>(
        &self,
        statements: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let permit = timeout(WAIT_TIMEOUT, self.free.acquire()).await.map_err(|_| Error::Overloaded)?;
        // Dropped last, so that the connection is returned before the next request looks for one.
        let _permit = permit.map_err(|_| Error::unavailable("the store is closed"))?;
        let idle = self.idle().pop();
        let mut borrowed =
            Borrowed { pool: self, connection: idle.or_else(|| Some(self.connector.connection())) };
        match &mut borrowed.connection {
            Some(connection) => connection.run(statements).await,
            // Never: only dropping `borrowed` empties it.
            None => Err(Error::unavailable("a connection is used twice")),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The number of connections that requests use now.
    pub(crate) fn in_use(&self) -> usize {
        self.size.saturating_sub(self.free.available_permits())
    }

    /// The number of open connections that no request uses.
    pub(crate) fn idle_count(&self) -> usize {
        self.idle().iter().filter(|connection| connection.is_open()).count()
    }

    /// Rejects new requests, and closes the connections that were returned.
    pub(crate) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<ReconnectingConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
