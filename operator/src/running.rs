//! The reconciles that are running, and when they started.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// Starts by number, which is that of the order; a clone has the same ones.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<(u64, BTreeMap<u64, Instant>)>>);

/// One reconcile, until it is dropped.
pub(crate) struct Started {
    running: Running,
    number: u64,
}

impl Running {
    pub(crate) fn start(&self, now: Instant) -> Started {
        let mut running = self.lock();
        running.0 = running.0.wrapping_add(1);
        let number = running.0;
        running.1.insert(number, now);
        Started { running: self.clone(), number }
    }

    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.lock().1.values().next().copied()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.running.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_oldest_is_the_first_that_has_not_ended() {
        let (running, start) = (Running::default(), crate::clock::timer());
        let [first, second] = [0, 1].map(|second| running.start(start + Duration::from_secs(second)));
        assert_eq!(running.oldest(), Some(start));
        drop(first);
        assert_eq!(running.oldest(), Some(start + Duration::from_secs(1)));
        drop(second);
        assert_eq!(running.oldest(), None);
    }
}
