//! The connections for what is not batched: at most so many, lent to one request each.
//!
//! sqlx's own pool asks a connection whether it is well whenever one comes back, a second round trip for each statement; here it is
//! asked only after it was idle or left in the middle.
//!
//! # Guarantees
//! - A request that finds none waits its turn, and no longer than [`WAIT_TIMEOUT`]: then [`Error::Overloaded`].
//! - A request that goes away in the middle gives its connection back, and whoever has it next does not see what it left.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgConnection;
use todostack_store::{Error, Result};
use tokio::{sync::Semaphore, time::timeout};

use crate::connect::{Connector, LastingConnection};

/// Who waits longer would hardly be answered before its deadline.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) struct Pool {
    connector: Connector,
    size: usize,
    free: Semaphore,
    /// Those not lent, the one used last at the end. Others have not been needed yet.
    idle: Mutex<Vec<LastingConnection>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).field("lent", &self.lent()).finish_non_exhaustive()
    }
}

/// A connection on its way back.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<LastingConnection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.pool.idle().extend(self.connection.take());
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
        // Dropped last, so that the connection is back before another looks for it.
        let _permit = permit.map_err(|_| Error::unavailable("the store is closed"))?;
        let idle = self.idle().pop();
        let mut lent = Lent { pool: self, connection: idle.or_else(|| Some(self.connector.lasting())) };
        match &mut lent.connection {
            Some(connection) => connection.run(statements).await,
            // It is there until `lent` is dropped.
            None => Err(Error::unavailable("a connection was lent twice")),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How many are with a request now.
    pub(crate) fn lent(&self) -> usize {
        self.size.saturating_sub(self.free.available_permits())
    }

    /// How many are open and with nobody.
    pub(crate) fn open_and_idle(&self) -> usize {
        self.idle().iter().filter(|connection| connection.is_open()).count()
    }

    /// Lends no more, and closes what has come back.
    pub(crate) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.close().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<LastingConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
