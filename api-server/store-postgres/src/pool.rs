//! The pool of connections for statements that are not batched. Each is used by one request at a time.
//!
//! The pool of sqlx pings a connection when it is returned, a second round trip for each statement. This one
//! pings only a connection that was idle or whose request was canceled.
//!
//! # Guarantees
//! - A request waits for a free connection in order of arrival, at most [`WAIT_TIMEOUT`]: then
//!   [`Error::Overloaded`].
//! - A request fails for want of a connection only if none is open: a server that refuses another one,
//!   because its limit is reached or the credentials have changed, still serves over those that it has.
//! - A canceled request returns its connection, and the next request does not see its transaction or its
//!   results.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgConnection;
use todostack_store::{Error, Result};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, timeout},
};

use crate::connect::{Connector, ReconnectingConnection, is_refused};

/// After a longer wait a request would exceed its deadline anyway.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3);

/// Another connection is not tried again before: each attempt costs the server a process and the hash of the
/// password.
const REFUSED_FOR: Duration = Duration::from_secs(1);

pub(crate) struct Pool {
    connector: Connector,
    size: usize,
    free: Semaphore,
    open: Mutex<Open>,
    /// A connection was returned, or lost.
    was_returned: Notify,
}

/// The open connections. Fewer than the size of the pool until more were needed at once.
#[derive(Default)]
struct Open {
    /// The most recently used one last.
    idle: Vec<ReconnectingConnection>,
    /// How many requests use one.
    borrowed: usize,
    /// When the server last refused another one, and why.
    refused: Option<(Instant, Error)>,
}

impl Open {
    /// Why the server refused another connection a moment ago, if there is one to wait for.
    fn lately_refused(&self) -> Option<Error> {
        let (at, error) = self.refused.as_ref().filter(|_| self.borrowed > 0)?;
        (at.elapsed() < REFUSED_FOR).then(|| error.clone())
    }
}

/// A connection in use, which is returned when this is dropped.
struct Borrowed<'a> {
    pool: &'a Pool,
    connection: Option<ReconnectingConnection>,
}

impl Borrowed<'_> {
    /// Never fails: only dropping it takes the connection out.
    fn connection(&mut self) -> Result<&mut ReconnectingConnection> {
        self.connection.as_mut().ok_or_else(|| Error::unavailable("a connection is used twice"))
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take().filter(ReconnectingConnection::is_open);
        let mut open = self.pool.open();
        open.borrowed = open.borrowed.saturating_sub(1);
        // The server is gone, and the idle connections with it: each would cost a request the timeout of a
        // ping.
        if connection.is_none() {
            open.idle.clear();
        }
        open.idle.extend(connection);
        drop(open);
        self.pool.was_returned.notify_waiters();
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector, size: u32) -> Self {
        let size = size.try_into().unwrap_or(Semaphore::MAX_PERMITS);
        let (free, open, was_returned) = (Semaphore::new(size), Mutex::default(), Notify::new());
        Self { connector, size, free, open, was_returned }
    }

    /// Runs statements on one of the connections.
    pub(crate) async fn run<T>(
        &self,
        statements: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        let permit = timeout(WAIT_TIMEOUT, self.free.acquire()).await.map_err(|_| Error::Overloaded)?;
        // Dropped last, so that the connection is returned before the next request looks for one.
        let _permit = permit.map_err(|_| Error::unavailable("the store is closed"))?;
        let mut borrowed = self.borrow().await?;
        borrowed.connection()?.run(statements).await
    }

    /// An idle connection, else a new one, else, if the server refuses that, the next one that is returned.
    async fn borrow(&self) -> Result<Borrowed<'_>> {
        let (idle, refused) = {
            let mut open = self.open();
            (open.idle.pop().map(|connection| self.lend(&mut open, connection)), open.lately_refused())
        };
        let opened = match (idle, refused) {
            (Some(mut idle), _) => idle.connection()?.open().await.map(|()| idle),
            (None, Some(error)) => return self.next_returned(error).await,
            (None, None) => {
                let mut connection = self.connector.connection();
                connection.open().await.map(|()| self.lend(&mut self.open(), connection))
            }
        };
        match opened {
            Err(error) if is_refused(&error) => {
                self.open().refused = Some((Instant::now(), error.clone()));
                self.next_returned(error).await
            }
            Err(error) => {
                self.open().idle.clear();
                Err(error)
            }
            opened => opened,
        }
    }

    /// Fails with this error when no connection is open that could be returned.
    async fn next_returned(&self, error: Error) -> Result<Borrowed<'_>> {
        timeout(WAIT_TIMEOUT, self.returned(error)).await.map_err(|_| Error::Overloaded)?
    }

    async fn returned(&self, error: Error) -> Result<Borrowed<'_>> {
        loop {
            let returned = self.was_returned.notified();
            {
                let mut open = self.open();
                if let Some(connection) = open.idle.pop() {
                    return Ok(self.lend(&mut open, connection));
                }
                if open.borrowed == 0 {
                    return Err(error);
                }
            }
            returned.await;
        }
    }

    fn lend(&self, open: &mut Open, connection: ReconnectingConnection) -> Borrowed<'_> {
        open.borrowed = open.borrowed.saturating_add(1);
        Borrowed { pool: self, connection: Some(connection) }
    }

    /// Opens a connection unless one is open.
    pub(crate) async fn open_one(&self) -> Result<()> {
        let is_open = {
            let open = self.open();
            open.borrowed > 0 || !open.idle.is_empty()
        };
        if is_open { Ok(()) } else { self.run(async |_| Ok(())).await }
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
        self.open().idle.len()
    }

    /// Rejects new requests, and closes the connections that were returned.
    pub(crate) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut self.open().idle);
        for connection in idle {
            connection.close().await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
