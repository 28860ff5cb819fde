//! Backoff after failed reconciles. Each stack has its own count, so that one that fails does not slow the
//! others.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kube::runtime::reflector::ObjectRef;

use crate::observe::caches::Guarded;

/// Wait after the first failure.
const FIRST: Duration = Duration::from_millis(500);
/// Short, so that a stack recovers soon after an admission webhook answers again.
const LONGEST: Duration = Duration::from_secs(8);

#[derive(Default)]
pub(crate) struct Backoff(Mutex<HashMap<ObjectRef<Guarded>, u32>>);

impl Backoff {
    /// Counts a failure and returns how long to wait.
    pub(crate) fn failed(&self, stack: &ObjectRef<Guarded>) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(stack.clone()).or_insert(0);
        let wait = FIRST.saturating_mul(2u32.saturating_pow(*count)).min(LONGEST);
        *count = count.saturating_add(1);
        wait
    }

    pub(crate) fn succeeded(&self, stack: &ObjectRef<Guarded>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(stack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_restart_after_a_success() {
        let backoff = Backoff::default();
        let (one, other) = (ObjectRef::new("b").within("a"), ObjectRef::new("c").within("a"));
        let waits: Vec<_> = (0..12).map(|_| backoff.failed(&one)).collect();
        assert_eq!(waits.first(), Some(&FIRST));
        assert_eq!(waits.get(1), Some(&(FIRST * 2)));
        assert_eq!(waits.last(), Some(&LONGEST));
        assert_eq!(backoff.failed(&other), FIRST);
        backoff.succeeded(&one);
        assert_eq!(backoff.failed(&one), FIRST);
    }
}
