//! Changes of a stack's objects that follow each other closely start one reconcile. Edits of stacks are not
//! delayed: they do not pass here.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use kube::runtime::scheduler::{ScheduleRequest, scheduler};
use tokio::time::Instant;

use crate::clock;

/// An apply is followed by a burst of watch events.
const WINDOW: Duration = Duration::from_millis(25);
/// The time between two reconciles of a stack whose objects change all the time. A rollout of two pods is
/// one change of the status then, and not three.
const SHORTEST: Duration = Duration::from_millis(200);
/// The same for each stack whose objects change: all together cause some 50 reconciles a second at most.
const SPACING: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(3);

/// Passes each item on after its first change. Further changes do not delay it, unlike kube's debounce:
/// objects that change all the time must not keep their stack from being reconciled. The more items change,
/// the longer the changes of each are collected.
pub(crate) fn coalesce<T>(changes: impl Stream<Item = T>) -> impl Stream<Item = T>
where
    T: Hash + Eq + Clone,
{
    let passed = Passed(Arc::default());
    let before = passed.clone();
    let requests = changes.map(move |message| {
        let run_at = before.next(&message, clock::timer());
        ScheduleRequest { message, run_at }
    });
    scheduler(requests).inspect(move |item| passed.record(item, clock::timer()))
}

/// When items were passed on last, within the longest time.
#[derive(Clone)]
struct Passed<T>(Arc<Mutex<HashMap<T, Instant>>>);

impl<T: Hash + Eq + Clone> Passed<T> {
    /// When an item is passed on that changes now.
    fn next(&self, item: &T, now: Instant) -> Instant {
        let passed = self.lock();
        let count = u32::try_from(passed.len()).unwrap_or(u32::MAX);
        let spacing = SPACING.saturating_mul(count).clamp(SHORTEST, LONGEST);
        let earliest = passed.get(item).map(|last| *last + spacing);
        earliest.into_iter().fold(now + WINDOW, Instant::max)
    }

    fn record(&self, item: &T, now: Instant) {
        let mut passed = self.lock();
        passed.retain(|_, last| now.saturating_duration_since(*last) < LONGEST);
        passed.insert(item.clone(), now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<T, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    // The moments, in ms, at which stacks are reconciled whose objects change at these moments.
    async fn reconciled(changes: Vec<(u64, usize)>) -> Vec<(u128, usize)> {
        let start = Instant::now();
        let at = move |(ms, stack): (u64, usize)| async move {
            tokio::time::sleep_until(start + Duration::from_millis(ms)).await;
            stack
        };
        // A stream of triggers never ends; a scheduler ends with it.
        let changes = stream::iter(changes).then(at).chain(stream::pending());
        let triggers = coalesce(changes).map(|stack| (start.elapsed().as_millis(), stack));
        triggers.take_until(tokio::time::sleep(Duration::from_mins(1))).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_changes_starts_one_reconcile() {
        let bursts = [0, 5, 10, 24, 5000, 5010].map(|ms| (ms, 0));
        let moments = reconciled(bursts.to_vec()).await;
        assert_eq!(moments.len(), 2, "{moments:?}");
        assert!(moments.iter().zip([0, 5000]).all(|((ms, _), change)| ms - change <= 30), "{moments:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn objects_that_change_all_the_time_neither_delay_the_reconcile_nor_take_the_operator() {
        for stacks in [1, 30, 400] {
            let change = |ms: u64| (0..stacks).map(move |stack| (ms * 20, stack));
            let moments = reconciled((0..500).flat_map(change).collect()).await;
            // In 10 s.
            assert!(moments.len() <= 600.max(5 * stacks), "{stacks}: {}", moments.len());
            for stack in [0, stacks - 1] {
                let own: Vec<_> = moments.iter().filter(|it| it.1 == stack).map(|it| it.0).collect();
                assert!(own.first().is_some_and(|first| *first <= 30), "{own:?}");
                let longest = own.windows(2).map(|pair| pair[1] - pair[0]).max();
                assert!(longest.is_some_and(|longest| longest <= 3050), "{own:?}");
            }
        }
    }
}
