//! When a stack is reconciled again although nothing happens. What happens is watched, so this is for what
//! only time shows, such as the end of a grace period.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use todostack_stack::{publication::QUIET, stack_ref::StackRef};

/// Pause of a stack that is ready. Watches trigger all that matters; this catches what they missed.
const READY: Duration = Duration::from_mins(10);
/// First pause of a stack that is not ready. It grows with the time for which the status stays the same.
const UNREADY: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_mins(5);
/// Longest pause while an object is awaited that is not watched.
const UNWATCHED: Duration = Duration::from_secs(15);

/// Pause of a stack that waits for a place among those of resyncs.
pub(crate) const NO_PLACE: Duration = Duration::from_millis(100);

/// What a stack waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Nothing: it is ready.
    Nothing,
    /// It is not ready, and its objects are watched.
    Watched,
    /// For an object that no watch brings.
    Unwatched,
    /// For the watches to bring what was written, or what a write has met.
    Caches,
}

/// The pause; `since` is the time since the last change of the status.
pub(crate) fn pause(waiting: Waiting, since: Duration) -> Duration {
    let growing = (since / 10).clamp(UNREADY, LONGEST);
    match waiting {
        Waiting::Nothing => READY,
        Waiting::Watched => growing,
        Waiting::Unwatched => growing.min(UNWATCHED),
        Waiting::Caches => UNREADY,
    }
}

/// The time between two reports of a stack that only progresses, for each stack that does: together they
/// report two steps a second.
const QUIET_EACH: Duration = Duration::from_millis(500);
const LONGEST_QUIET: Duration = Duration::from_mins(2);

/// When the status of each stack was published last, by the stack's uid, or when the stack was first seen.
/// Those of stacks that are ready are not kept.
pub(crate) struct Published {
    at: Mutex<HashMap<String, Instant>>,
    /// How long a stack that only progresses is not reported again at least.
    quiet: Duration,
    quiet_each: Duration,
}

impl Default for Published {
    fn default() -> Self {
        Self { at: Mutex::default(), quiet: QUIET, quiet_each: QUIET_EACH }
    }
}

impl Published {
    /// Every change of a status is published at once.
    #[cfg(test)]
    pub(crate) fn at_once() -> Self {
        Self { quiet: Duration::ZERO, quiet_each: Duration::ZERO, ..Self::default() }
    }

    /// How long a stack that only progresses is not reported again: longer while many do.
    pub(crate) fn quiet(&self, now: Instant) -> Duration {
        let is_recent = |at: &&Instant| now.saturating_duration_since(**at) < LONGEST_QUIET;
        let recent = u32::try_from(self.lock().values().filter(is_recent).count()).unwrap_or(u32::MAX);
        self.quiet_each.saturating_mul(recent).min(LONGEST_QUIET).max(self.quiet)
    }

    /// The time since the last publication.
    pub(crate) fn since(&self, stack: &StackRef, now: Instant) -> Duration {
        now.saturating_duration_since(*self.lock().entry(stack.uid.clone()).or_insert(now))
    }

    pub(crate) fn record(&self, stack: &StackRef, now: Instant) {
        self.lock().insert(stack.uid.clone(), now);
    }

    /// Evicts the entry of a stack that is ready or deleted.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.lock().remove(&stack.uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    // The moments, in s, at which a stack that stays as it is is reconciled within an hour.
    fn moments(waiting: Waiting) -> Vec<u64> {
        let mut at = Duration::ZERO;
        let next = || {
            at += pause(waiting, at);
            Some(at.as_secs())
        };
        std::iter::from_fn(next).take_while(|at| *at < 3600).collect()
    }

    #[test]
    fn stacks_that_start_report_rarely_while_many_do() {
        let (published, start) = (Published::default(), clock::instant());
        let stack = |number: usize| StackRef {
            namespace: "shops".into(),
            name: "shop".into(),
            uid: number.to_string(),
            generation: 1,
        };
        published.since(&stack(0), start);
        assert_eq!(published.quiet(start), QUIET);
        (0..100).for_each(|number| published.record(&stack(number), start));
        assert_eq!(published.quiet(start), Duration::from_secs(50));
        (0..1000).for_each(|number| published.record(&stack(number), start));
        assert_eq!(published.quiet(start), LONGEST_QUIET);
        // They have stayed as they are.
        assert_eq!(published.quiet(start + LONGEST_QUIET), QUIET);
    }

    #[test]
    fn pauses_grow_while_a_stack_stays_the_same() {
        let moments = moments(Waiting::Watched);
        assert_eq!(moments.first(), Some(&3));
        assert_eq!(moments.iter().filter(|at| **at <= 30).count(), 10);
        assert!(moments.len() < 70, "{}", moments.len());
        assert_eq!(pause(Waiting::Watched, Duration::from_hours(9)), LONGEST);
    }

    #[test]
    fn the_end_of_a_grace_period_is_seen_a_tenth_of_it_later_at_most() {
        let moments = moments(Waiting::Watched);
        for grace in [20, 60, 300, 1200] {
            let seen = moments.iter().find(|at| **at >= grace).unwrap();
            assert!(seen - grace <= (grace / 10).max(3), "{grace}: {seen}");
        }
    }

    #[test]
    fn an_object_that_is_not_watched_is_found_within_15_s() {
        assert!(moments(Waiting::Unwatched).windows(2).all(|pair| pair[1] - pair[0] <= 15));
    }
}
