//! Limits how many tests use the cluster at once, and grants exclusive access. The cluster itself is
//! `cluster.rs`.
//!
//! All tests can start at once (`--test-threads` of any number): each waits here for its permit. Shared
//! access has priority over exclusive access, because a test that watches for minutes would otherwise delay
//! all others.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use tokio::sync::watch;

// Of the tests that use the cluster at once.
const ON_NFS_NODE: usize = 2;

static PERMITS: LazyLock<Permits> = LazyLock::new(|| {
    // Tests mostly wait for the cluster, so there can be one more than this machine has cores.
    Permits::new(available_parallelism().map_or(1, NonZero::get) + 1)
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    // In its own namespaces, beside a limited number of others.
    Shared,
    // As shared, with pods on the NFS node, whose one emulated processor starts few at a time.
    NfsNode,
    // As shared, while no other test uses the NFS node, because it stops the node or its server.
    NfsNodeAlone,
    // In its own namespaces, mostly watching, beside any number of others.
    Watching,
    // Without any other test, because it stops something that they need.
    Alone,
}

// Allows one test to use the cluster until it is dropped.
#[derive(Debug)]
pub struct Permit {
    permits: &'static Permits,
    kind: Use,
}

pub(crate) async fn acquire(kind: Use) -> Permit {
    PERMITS.acquire(kind).await;
    Permit { permits: &PERMITS, kind }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.release(self.kind);
    }
}

// Not a `tokio::sync::Semaphore`: that is fair, so a wait for exclusive access would block all others.
#[derive(Debug)]
struct Permits {
    in_use: watch::Sender<InUse>,
    limit: usize,
}

#[derive(Debug, Default)]
struct InUse {
    // Including those on the NFS node.
    shared: usize,
    on_nfs_node: usize,
    watching: usize,
    alone: bool,
}

impl Permits {
    fn new(limit: usize) -> Self {
        Self { in_use: watch::Sender::default(), limit }
    }

    async fn acquire(&self, kind: Use) {
        let mut changes = self.in_use.subscribe();
        // `changed` fails only when the sender is dropped, which belongs to `self`.
        while !self.try_acquire(kind) && changes.changed().await.is_ok() {}
    }

    fn try_acquire(&self, kind: Use) -> bool {
        self.in_use.send_if_modified(|in_use| {
            let is_available = match kind {
                Use::Shared => !in_use.alone && in_use.shared < self.limit,
                Use::NfsNode => {
                    !in_use.alone && in_use.shared < self.limit && in_use.on_nfs_node < ON_NFS_NODE
                }
                Use::NfsNodeAlone => !in_use.alone && in_use.shared < self.limit && in_use.on_nfs_node == 0,
                Use::Watching => !in_use.alone,
                Use::Alone => !in_use.alone && in_use.shared == 0 && in_use.watching == 0,
            };
            if is_available {
                match kind {
                    Use::Shared => in_use.shared += 1,
                    Use::NfsNode => {
                        in_use.shared += 1;
                        in_use.on_nfs_node += 1;
                    }
                    Use::NfsNodeAlone => {
                        in_use.shared += 1;
                        in_use.on_nfs_node += ON_NFS_NODE;
                    }
                    Use::Watching => in_use.watching += 1,
                    Use::Alone => in_use.alone = true,
                }
            }
            is_available
        })
    }

    fn release(&self, kind: Use) {
        self.in_use.send_modify(|in_use| match kind {
            Use::Shared => in_use.shared -= 1,
            Use::NfsNode => {
                in_use.shared -= 1;
                in_use.on_nfs_node -= 1;
            }
            Use::NfsNodeAlone => {
                in_use.shared -= 1;
                in_use.on_nfs_node -= ON_NFS_NODE;
            }
            Use::Watching => in_use.watching -= 1,
            Use::Alone => in_use.alone = false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_permits_are_limited_and_watching_permits_are_not_counted() {
        let permits = Permits::new(2);
        assert!(permits.try_acquire(Use::Shared) && permits.try_acquire(Use::Shared));
        assert!(!permits.try_acquire(Use::Shared));
        assert!(permits.try_acquire(Use::Watching));
        permits.release(Use::Shared);
        assert!(permits.try_acquire(Use::Shared));
    }

    #[test]
    fn few_tests_use_the_nfs_node_and_each_counts_as_shared() {
        let permits = Permits::new(ON_NFS_NODE + 1);
        assert!(permits.try_acquire(Use::NfsNode) && permits.try_acquire(Use::NfsNode));
        assert!(!permits.try_acquire(Use::NfsNode));
        assert!(permits.try_acquire(Use::Shared) && !permits.try_acquire(Use::Shared));
        permits.release(Use::NfsNode);
        assert!(permits.try_acquire(Use::NfsNode));
    }

    #[test]
    fn a_test_that_stops_the_nfs_node_uses_it_alone_beside_shared_ones() {
        let permits = Permits::new(3);
        assert!(permits.try_acquire(Use::NfsNode) && !permits.try_acquire(Use::NfsNodeAlone));
        permits.release(Use::NfsNode);
        assert!(permits.try_acquire(Use::NfsNodeAlone) && !permits.try_acquire(Use::NfsNode));
        assert!(permits.try_acquire(Use::Shared));
        permits.release(Use::NfsNodeAlone);
        assert!(permits.try_acquire(Use::NfsNode));
    }

    #[test]
    fn an_exclusive_permit_excludes_all_others() {
        let permits = Permits::new(2);
        assert!(permits.try_acquire(Use::Watching));
        assert!(!permits.try_acquire(Use::Alone));
        permits.release(Use::Watching);
        assert!(permits.try_acquire(Use::Alone));
        for kind in [Use::Shared, Use::NfsNode, Use::NfsNodeAlone, Use::Watching, Use::Alone] {
            assert!(!permits.try_acquire(kind), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn waiting_for_an_exclusive_permit_does_not_block_shared_ones() {
        let permits: &'static Permits = Box::leak(Box::new(Permits::new(2)));
        permits.acquire(Use::Shared).await;
        let alone = tokio::spawn(permits.acquire(Use::Alone));
        tokio::task::yield_now().await;
        permits.acquire(Use::Shared).await;
        assert!(!alone.is_finished());
        permits.release(Use::Shared);
        permits.release(Use::Shared);
        alone.await.unwrap();
    }
}
