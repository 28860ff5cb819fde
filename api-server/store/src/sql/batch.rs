//! Requests that have gathered while the previous query ran go out as the next one. Knows nothing of SQL.
//!
//! # Guarantees
//! - A request is sent to the database only after it was queued, so a read sees every write acknowledged before it.
//! - Each caller gets the answer to its own request; a caller that went away before its turn costs the database nothing.
//! - The queue is bounded: when it is full, [`Error::Overloaded`] at once instead of a wait without end.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// One kind of batched query, with its own connection.
pub trait Batch: Send + 'static {
    /// What one caller asks.
    type Request: Send + 'static;
    /// What one caller gets.
    type Answer: Send + 'static;

    /// Answers all requests, in their order; exactly one answer each.
    fn run(&mut self, requests: Vec<Self::Request>)
    -> impl Future<Output = Vec<Result<Self::Answer>>> + Send;
}

/// Sizes of a [`Batcher`].
#[derive(Clone, Copy, Debug)]
pub struct BatcherLimits {
    /// Requests that may wait.
    pub queue: usize,
    /// Requests in one query.
    pub batch: usize,
}

type Reply<A> = oneshot::Sender<Result<A>>;

/// The queue in front of a batched query, which ends when this is dropped.
pub struct Batcher<B: Batch> {
    queue: mpsc::Sender<(B::Request, Reply<B::Answer>)>,
}

impl<B: Batch> std::fmt::Debug for Batcher<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher").field("queued", &self.queued()).finish()
    }
}

impl<B: Batch> Batcher<B> {
    /// Starts a task on the current runtime.
    pub fn start(lane: B, limits: BatcherLimits) -> Self {
        let (queue, waiting) = mpsc::channel(limits.queue);
        tokio::spawn(serve(lane, waiting, limits.batch));
        Self { queue }
    }

    /// Queues a request and waits for its answer.
    pub async fn ask(&self, request: B::Request) -> Result<B::Answer> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((request, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::unavailable("the store is closed"),
        })?;
        answer.await.map_err(|_| Error::unavailable("the store was closed meanwhile"))?
    }

    /// How many requests wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }
}

type Waiting<B> = mpsc::Receiver<(<B as Batch>::Request, Reply<<B as Batch>::Answer>)>;

/// How many turns of the runtime may bring no request before a batch goes out. Whoever is about to ask joins it that way; when nobody
/// is, a turn takes a microsecond.
const PATIENCE: u8 = 2;

/// Takes what waits; nothing when the queue has been dropped.
async fn gather<T>(waiting: &mut mpsc::Receiver<T>, taken: &mut Vec<T>, limit: usize) {
    if waiting.recv_many(taken, limit).await == 0 {
        return;
    }
    let mut turns_without_any = 0;
    while turns_without_any < PATIENCE && taken.len() < limit {
        let before = taken.len();
        tokio::task::yield_now().await;
        while taken.len() < limit
            && let Ok(next) = waiting.try_recv()
        {
            taken.push(next);
        }
        turns_without_any = if taken.len() == before { turns_without_any + 1 } else { 0 };
    }
}

async fn serve<B: Batch>(mut lane: B, mut waiting: Waiting<B>, limit: usize) {
    let mut taken = Vec::with_capacity(limit);
    loop {
        gather(&mut waiting, &mut taken, limit).await;
        if taken.is_empty() {
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) =
            taken.drain(..).filter(|(_, reply)| !reply.is_closed()).unzip();
        if requests.is_empty() {
            continue;
        }
        let answers = lane.run(requests).await;
        debug_assert_eq!(answers.len(), replies.len(), "a lane must answer every request");
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that has gone needs no answer.
            drop(reply.send(answer));
        }
    }
}

#[cfg(test)]
mod tests;
