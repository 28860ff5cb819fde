//! A lane that waits for a permit shows what gathers behind it.

use std::sync::{Arc, Mutex as SyncMutex};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// Doubles numbers, a batch per permit of `gate`; `entered` counts the batches begun.
#[derive(Clone)]
struct Doubling {
    gate: Arc<Semaphore>,
    entered: Arc<Semaphore>,
    sizes: Arc<SyncMutex<Vec<usize>>>,
}

impl Batch for Doubling {
    type Request = u32;
    type Answer = u32;

    async fn run(&mut self, requests: Vec<u32>) -> Vec<Result<u32>> {
        self.entered.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        self.sizes.lock().unwrap().push(requests.len());
        requests.into_iter().map(|n| if n == 13 { Err(Error::TodoNotFound) } else { Ok(n * 2) }).collect()
    }
}

struct Harness {
    batcher: Arc<Batcher<Doubling>>,
    lane: Doubling,
}

impl Harness {
    /// One lane, busy with the number 0 until a permit comes.
    async fn busy(queue: usize) -> (Self, JoinHandle<Result<u32>>) {
        let lane = Doubling {
            gate: Arc::new(Semaphore::new(0)),
            entered: Arc::new(Semaphore::new(0)),
            sizes: Arc::default(),
        };
        let batcher = Arc::new(Batcher::start(lane.clone(), BatcherLimits { queue, batch: 64 }));
        let harness = Self { batcher, lane };
        let first = harness.ask(0);
        harness.lane.entered.acquire().await.unwrap().forget();
        (harness, first)
    }

    fn ask(&self, n: u32) -> JoinHandle<Result<u32>> {
        let batcher = Arc::clone(&self.batcher);
        tokio::spawn(async move { batcher.ask(n).await })
    }

    async fn until_queued(&self, count: usize) {
        while self.batcher.queued() < count {
            tokio::task::yield_now().await;
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.lane.sizes.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn what_gathers_while_a_query_runs_goes_out_as_the_next_and_each_gets_its_own_answer() {
    let (harness, first) = Harness::busy(64).await;
    let callers: Vec<_> = (1..=20).map(|n| (n, harness.ask(n))).collect();
    harness.until_queued(20).await;
    harness.lane.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 0);
    for (n, caller) in callers {
        match caller.await.unwrap() {
            Err(Error::TodoNotFound) => assert_eq!(n, 13),
            answer => assert_eq!(answer.unwrap(), n * 2),
        }
    }
    assert_eq!(harness.sizes(), [1, 20]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (harness, _first) = Harness::busy(1).await;
    let _second = harness.ask(2);
    harness.until_queued(1).await;
    assert!(matches!(harness.batcher.ask(3).await, Err(Error::Overloaded)));
}

#[tokio::test]
async fn a_caller_that_went_away_costs_nothing_and_harms_nobody() {
    let (harness, first) = Harness::busy(64).await;
    let (gone, stays) = (harness.ask(2), harness.ask(3));
    harness.until_queued(2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    harness.lane.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 0);
    assert_eq!(stays.await.unwrap().unwrap(), 6);
    assert_eq!(harness.sizes(), [1, 1]);
}
