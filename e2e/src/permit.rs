//! Whose turn it is: how many tests use the cluster at once, and which of them has it alone. What they use is `cluster.rs`.
//!
//! All tests may begin at once (`--test-threads` as large as one likes); here they wait for their turn. Those that share
//! the cluster go first, so that one which watches it for minutes is not waited for by all the others.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use tokio::sync::watch;

/// The turns of this process's tests.
static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    // They wait for the cluster most of the time: one more at once than this machine has cores.
    Turns::new(available_parallelism().map_or(1, NonZero::get) + 1)
});

/// How a test uses the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// In namespaces of its own, beside a few others.
    Shared,
    /// The same, watching most of the time: beside any number of others.
    Watching,
    /// It takes away what the others need.
    Alone,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    turns: &'static Turns,
    kind: Use,
}

/// Waits for a turn.
pub(crate) async fn acquire(kind: Use) -> Permit {
    TURNS.take(kind).await;
    Permit { turns: &TURNS, kind }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.turns.give_back(self.kind);
    }
}

#[derive(Debug)]
struct Turns {
    state: watch::Sender<State>,
    at_once: usize,
}

#[derive(Debug, Default)]
struct State {
    shared: usize,
    watching: usize,
    alone: bool,
}

impl Turns {
    fn new(at_once: usize) -> Self {
        Self { state: watch::Sender::default(), at_once }
    }

    async fn take(&self, kind: Use) {
        let mut changes = self.state.subscribe();
        // The sender is never dropped, so a change comes whenever a turn is given back.
        while !self.try_take(kind) && changes.changed().await.is_ok() {}
    }

    fn try_take(&self, kind: Use) -> bool {
        self.state.send_if_modified(|state| {
            let free = match kind {
                Use::Shared => !state.alone && state.shared < self.at_once,
                Use::Watching => !state.alone,
                Use::Alone => !state.alone && state.shared == 0 && state.watching == 0,
            };
            if free {
                match kind {
                    Use::Shared => state.shared += 1,
                    Use::Watching => state.watching += 1,
                    Use::Alone => state.alone = true,
                }
            }
            free
        })
    }

    fn give_back(&self, kind: Use) {
        self.state.send_modify(|state| match kind {
            Use::Shared => state.shared -= 1,
            Use::Watching => state.watching -= 1,
            Use::Alone => state.alone = false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_share_the_cluster_and_one_that_watches_is_not_counted() {
        let turns = Turns::new(2);
        assert!(turns.try_take(Use::Shared) && turns.try_take(Use::Shared));
        assert!(!turns.try_take(Use::Shared));
        assert!(turns.try_take(Use::Watching));
        turns.give_back(Use::Shared);
        assert!(turns.try_take(Use::Shared));
    }

    #[test]
    fn one_that_has_it_alone_has_it_alone() {
        let turns = Turns::new(2);
        assert!(turns.try_take(Use::Watching));
        assert!(!turns.try_take(Use::Alone));
        turns.give_back(Use::Watching);
        assert!(turns.try_take(Use::Alone));
        for kind in [Use::Shared, Use::Watching, Use::Alone] {
            assert!(!turns.try_take(kind), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn one_that_waits_to_have_it_alone_keeps_no_other_from_sharing_it() {
        let turns: &'static Turns = Box::leak(Box::new(Turns::new(2)));
        turns.take(Use::Shared).await;
        let alone = tokio::spawn(turns.take(Use::Alone));
        tokio::task::yield_now().await;
        turns.take(Use::Shared).await;
        assert!(!alone.is_finished());
        turns.give_back(Use::Shared);
        turns.give_back(Use::Shared);
        alone.await.unwrap();
    }
}
