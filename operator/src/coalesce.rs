//! Changes of a stack's objects that follow each other closely start one reconcile.

use std::{hash::Hash, time::Duration};

use futures::{Stream, StreamExt as _};
use kube::runtime::scheduler::{ScheduleRequest, scheduler};

use crate::clock;

/// An apply is followed by a burst of watch events.
const WINDOW: Duration = Duration::from_millis(100);

/// Passes each item on once within the window after its first change. Further changes do not extend the
/// window, unlike kube's debounce: objects that change all the time must not keep their stack from being
/// reconciled.
pub(crate) fn coalesce<T>(changes: impl Stream<Item = T>) -> impl Stream<Item = T>
where
    T: Hash + Eq + Clone,
{
    scheduler(changes.map(|message| ScheduleRequest { message, run_at: clock::timer() + WINDOW }))
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use tokio::time::Instant;

    use super::*;

    // The moments, in ms, at which a stack is reconciled whose objects change at these moments.
    async fn reconciled(changes: Vec<u64>) -> Vec<u128> {
        let start = Instant::now();
        let at = move |ms: u64| async move {
            tokio::time::sleep_until(start + Duration::from_millis(ms)).await;
            "shop"
        };
        // A stream of triggers never ends; a scheduler ends with it.
        let changes = stream::iter(changes).then(at).chain(stream::pending());
        let triggers = coalesce(changes).map(|_| start.elapsed().as_millis());
        triggers.take_until(tokio::time::sleep(Duration::from_mins(1))).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_changes_starts_one_reconcile() {
        assert_eq!(reconciled(vec![0, 20, 40, 99]).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn objects_that_change_all_the_time_do_not_delay_the_reconcile() {
        let moments = reconciled((0..400).map(|index| index * 50).collect()).await;
        assert!(moments.first().is_some_and(|first| *first <= 110), "{moments:?}");
        let longest = moments.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(longest.is_some_and(|longest| longest <= 200), "{moments:?}");
    }
}
