//! How long to wait after failures of one stack: each stack has its own count, so that one that fails does not slow
//! the others.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Wait after the first failure.
const FIRST: Duration = Duration::from_millis(500);
/// Longest wait.
const LONGEST: Duration = Duration::from_mins(2);

/// Failures in a row, by `namespace/name`.
#[derive(Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// Counts a failure and tells how long to wait.
    pub fn failed(&self, stack: &str) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(stack.to_owned()).or_insert(0);
        let wait = FIRST.saturating_mul(2u32.saturating_pow(*count)).min(LONGEST);
        *count = count.saturating_add(1);
        wait
    }

    /// Forgets the failures of a stack.
    pub fn succeeded(&self, stack: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(stack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_anew_after_a_success() {
        let backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.failed("a/b")).collect();
        assert_eq!(waits.first(), Some(&FIRST));
        assert_eq!(waits.get(1), Some(&(FIRST * 2)));
        assert_eq!(waits.last(), Some(&LONGEST));
        assert_eq!(backoff.failed("a/c"), FIRST);
        backoff.succeeded("a/b");
        assert_eq!(backoff.failed("a/b"), FIRST);
    }
}
