//! The single writer: what gathered while the previous transaction was written goes into the next, one fsync for all.
//!
//! # Guarantees
//! - A caller hears of success only after the commit.
//! - What one caller's work did is undone alone when it fails: each runs in a savepoint.

use futures::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use todostack_store::{
    Error, Result,
    sql::{Batch, Batcher, BatcherLimits},
};
use tokio::sync::oneshot;

use crate::errors::store_error;

type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<()>> + Send>;

/// The queue in front of the writing connection.
#[derive(Debug)]
pub(crate) struct Writer {
    batcher: Batcher<Lane>,
}

impl Writer {
    pub(crate) fn start(options: SqliteConnectOptions) -> Self {
        let lane = Lane { options, open: None };
        Self { batcher: Batcher::start(lane, BatcherLimits { queue: 1_024, batch: 128 }) }
    }

    /// Runs work in a transaction, together with whatever else has gathered.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (done, mut value) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            Box::pin(async move {
                // Nobody listens when the caller has gone; the work is kept all the same.
                drop(done.send(work(connection).await?));
                Ok(())
            })
        });
        self.batcher.run(work).await?;
        value.try_recv().map_err(|_| Error::unavailable("the writer ended without an answer"))
    }

    pub(crate) fn queued(&self) -> usize {
        self.batcher.queued()
    }
}

#[derive(Debug)]
struct Lane {
    options: SqliteConnectOptions,
    open: Option<SqliteConnection>,
}

impl Batch for Lane {
    type Request = Work;
    type Answer = ();

    async fn run(&mut self, requests: Vec<Work>) -> Vec<Result<()>> {
        let count = requests.len();
        match self.transaction(requests).await {
            Ok(answers) => answers,
            Err(error) => {
                // Whatever state it is in, the next batch begins with a new connection.
                self.open = None;
                vec![Err(error); count]
            }
        }
    }
}

impl Lane {
    async fn transaction(&mut self, requests: Vec<Work>) -> Result<Vec<Result<()>>> {
        let connection = match &mut self.open {
            Some(connection) => connection,
            closed => closed.insert(self.options.connect().await.map_err(store_error)?),
        };
        let mut transaction = connection.begin_with("begin immediate").await.map_err(store_error)?;
        let mut answers = Vec::with_capacity(requests.len());
        for work in requests {
            let mut savepoint = transaction.begin().await.map_err(store_error)?;
            let answer = work(&mut savepoint).await;
            if answer.is_ok() { savepoint.commit().await } else { savepoint.rollback().await }
                .map_err(store_error)?;
            answers.push(answer);
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(answers)
    }
}
