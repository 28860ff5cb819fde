//! The single writer: requests that arrive during a transaction share the next one, and its fsync. Statements
//! are in the other files.
//!
//! # Guarantees
//! - A request succeeds only after the commit.
//! - A request that fails is rolled back alone: each runs in a savepoint.
//! - A change is in the log after the commit, and before its request has succeeded.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use todostack_store::{
    Error, Result,
    sql::{Batch, Batcher, BatcherLimits},
};
use tokio::sync::oneshot;

use crate::changes::Log;

type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<()>> + Send>;

/// The queue of the writing connection.
pub(crate) struct Writer {
    batcher: Batcher<WriteBatch>,
}

impl Writer {
    pub(crate) fn start(options: SqliteConnectOptions, log: Arc<Log>) -> Self {
        let batch = WriteBatch { options: options.pragma("temp_store", "memory"), log, open: None };
        Self { batcher: Batcher::start(batch, BatcherLimits { queue: 1_024, batch: 128 }) }
    }

    /// Runs statements in a transaction, which other requests share.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (done, mut value) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            Box::pin(async move {
                // It fails when the request was canceled; its statements are committed all the same.
                drop(done.send(work(connection).await?));
                Ok(())
            })
        });
        self.batcher.run(work).await?;
        value.try_recv().map_err(|_| Error::unavailable("the writer returned no result"))
    }

    pub(crate) fn queued(&self) -> usize {
        self.batcher.queued()
    }
}

struct WriteBatch {
    options: SqliteConnectOptions,
    log: Arc<Log>,
    open: Option<SqliteConnection>,
}

impl Batch for WriteBatch {
    type Request = Work;
    type Output = ();

    async fn run(&mut self, requests: Vec<Work>) -> Vec<Result<()>> {
        let count = requests.len();
        match self.transaction(requests).await {
            Ok(results) => results,
            Err(error) => {
                // Its state is unknown, so the next batch opens a new connection.
                self.open = None;
                vec![Err(error); count]
            }
        }
    }
}

impl WriteBatch {
    async fn transaction(&mut self, requests: Vec<Work>) -> Result<Vec<Result<()>>> {
        let connection = match &mut self.open {
            Some(connection) => connection,
            closed => closed.insert(open(&self.options).await?),
        };
        let mut transaction = connection.begin_with("begin immediate").await?;
        let mut results = Vec::with_capacity(requests.len());
        for work in requests {
            let mut savepoint = transaction.begin().await?;
            let result = work(&mut savepoint).await;
            if result.is_ok() { savepoint.commit().await } else { savepoint.rollback().await }?;
            results.push(result);
        }
        let changes = self.log.collect(&mut transaction).await?;
        transaction.commit().await?;
        self.log.append(changes);
        Ok(results)
    }
}

async fn open(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let mut connection = options.connect().await?;
    sqlx::raw_sql(include_str!("changes.sql")).execute(&mut connection).await?;
    Ok(connection)
}
