//! Batching, observed with a batch that waits for a permit. No database.

use std::sync::{Arc, Mutex as SyncMutex};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// Doubles numbers, one batch per permit of `gate`; `entered` counts the batches that started.
#[derive(Clone)]
struct Doubling {
    gate: Arc<Semaphore>,
    entered: Arc<Semaphore>,
    sizes: Arc<SyncMutex<Vec<usize>>>,
}

impl Batch for Doubling {
    type Request = u32;
    type Output = u32;

    async fn run(&mut self, requests: Vec<u32>) -> Vec<Result<u32>> {
        self.entered.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        self.sizes.lock().unwrap().push(requests.len());
        requests.into_iter().map(|n| if n == 13 { Err(Error::TodoNotFound) } else { Ok(n * 2) }).collect()
    }
}

struct Harness {
    batcher: Arc<Batcher<Doubling>>,
    doubling: Doubling,
}

impl Harness {
    /// A batch that is busy with the number 0 until a permit is added.
    async fn busy(queue: usize) -> (Self, JoinHandle<Result<u32>>) {
        let doubling = Doubling {
            gate: Arc::new(Semaphore::new(0)),
            entered: Arc::new(Semaphore::new(0)),
            sizes: Arc::default(),
        };
        let batcher = Arc::new(Batcher::start(doubling.clone(), BatcherLimits { queue, batch: 64 }));
        let harness = Self { batcher, doubling };
        let first = harness.run(0);
        harness.doubling.entered.acquire().await.unwrap().forget();
        (harness, first)
    }

    fn run(&self, n: u32) -> JoinHandle<Result<u32>> {
        let batcher = Arc::clone(&self.batcher);
        tokio::spawn(async move { batcher.run(n).await })
    }

    async fn until_queued(&self, count: usize) {
        while self.batcher.queued() < count {
            tokio::task::yield_now().await;
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.doubling.sizes.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn requests_that_arrive_while_a_query_runs_become_the_next_and_each_gets_its_own_result() {
    let (harness, first) = Harness::busy(64).await;
    let callers: Vec<_> = (1..=20).map(|n| (n, harness.run(n))).collect();
    harness.until_queued(20).await;
    harness.doubling.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 0);
    for (n, caller) in callers {
        match caller.await.unwrap() {
            Err(Error::TodoNotFound) => assert_eq!(n, 13),
            result => assert_eq!(result.unwrap(), n * 2),
        }
    }
    assert_eq!(harness.sizes(), [1, 20]);
}

#[tokio::test]
async fn a_full_queue_rejects_at_once() {
    let (harness, _first) = Harness::busy(1).await;
    let _second = harness.run(2);
    harness.until_queued(1).await;
    assert!(matches!(harness.batcher.run(3).await, Err(Error::Overloaded)));
}

#[tokio::test]
async fn a_canceled_request_is_not_sent_and_does_not_affect_others() {
    let (harness, first) = Harness::busy(64).await;
    let (canceled, other) = (harness.run(2), harness.run(3));
    harness.until_queued(2).await;
    canceled.abort();
    assert!(canceled.await.unwrap_err().is_cancelled());
    harness.doubling.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 0);
    assert_eq!(other.await.unwrap().unwrap(), 6);
    assert_eq!(harness.sizes(), [1, 1]);
}
