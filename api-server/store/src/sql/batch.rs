//! Batching: requests that arrive while a query runs become the next query. The queries are in the
//! implementations.
//!
//! # Guarantees
//! - A request is sent to the database only after it was queued, so a read sees every write acknowledged
//!   before it.
//! - Each caller gets the result of its own request; a request that was canceled before its batch is not
//!   sent.
//! - The queue is bounded: when it is full, requests fail at once with [`Error::Overloaded`] instead of
//!   waiting.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// A query that serves several requests, with its own connection.
pub trait Batch: Send + 'static {
    /// The parameters of one caller.
    type Request: Send + 'static;
    /// The result for one caller.
    type Output: Send + 'static;

    /// Runs the query. Returns exactly one result per request, in the order of the requests.
    fn run(&mut self, requests: Vec<Self::Request>)
    -> impl Future<Output = Vec<Result<Self::Output>>> + Send;
}

/// Sizes of a [`Batcher`].
#[derive(Clone, Copy)]
pub struct BatcherLimits {
    /// The maximum number of waiting requests.
    pub queue: usize,
    /// The maximum number of requests in one query.
    pub batch: usize,
}

type Reply<A> = oneshot::Sender<Result<A>>;

/// The queue of a batched query. Its task stops when this is dropped.
pub struct Batcher<B: Batch> {
    queue: mpsc::Sender<(B::Request, Reply<B::Output>)>,
}

impl<B: Batch> Batcher<B> {
    /// Starts a task on the current runtime.
    pub fn start(batch: B, limits: BatcherLimits) -> Self {
        let (queue, waiting) = mpsc::channel(limits.queue);
        tokio::spawn(run_batches(batch, waiting, limits.batch));
        Self { queue }
    }

    /// Queues a request and waits for its result.
    pub async fn run(&self, request: B::Request) -> Result<B::Output> {
        let (reply, result) = oneshot::channel();
        self.queue.try_send((request, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::unavailable("the store is closed"),
        })?;
        result.await.map_err(|_| Error::unavailable("the store was closed while the request waited"))?
    }

    /// The number of waiting requests.
    pub fn queued(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }
}

type Waiting<B> = mpsc::Receiver<(<B as Batch>::Request, Reply<<B as Batch>::Output>)>;

/// How many times the task yields without a new request before it sends a batch. Tasks that are about to send
/// a request join the batch; when there are none, a yield takes about a microsecond.
const YIELDS_WITHOUT_REQUEST: u8 = 2;

/// Collects waiting requests; none when the queue was dropped.
async fn collect<T>(waiting: &mut mpsc::Receiver<T>, collected: &mut Vec<T>, limit: usize) {
    if waiting.recv_many(collected, limit).await == 0 {
        return;
    }
    let mut yields = 0;
    while yields < YIELDS_WITHOUT_REQUEST && collected.len() < limit {
        let before = collected.len();
        tokio::task::yield_now().await;
        while collected.len() < limit
            && let Ok(next) = waiting.try_recv()
        {
            collected.push(next);
        }
        yields = if collected.len() == before { yields + 1 } else { 0 };
    }
}

async fn run_batches<B: Batch>(mut batch: B, mut waiting: Waiting<B>, limit: usize) {
    let mut collected = Vec::with_capacity(limit);
    loop {
        collect(&mut waiting, &mut collected, limit).await;
        if collected.is_empty() {
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) =
            collected.drain(..).filter(|(_, reply)| !reply.is_closed()).unzip();
        if requests.is_empty() {
            continue;
        }
        let results = batch.run(requests).await;
        debug_assert_eq!(results.len(), replies.len(), "a batch must return a result for every request");
        for (reply, result) in replies.into_iter().zip(results) {
            // It fails when the request was canceled.
            drop(reply.send(result));
        }
    }
}

#[cfg(test)]
mod tests;
