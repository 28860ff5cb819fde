//! Recent writes of this process, so that a reconcile that runs before the watch caches catch up does not
//! write again. In memory only; correctness does not depend on it, the number of requests does.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use kube::api::ObjectMeta;
use todostack_crds::{TodoStack, TodoStackStatus};
use todostack_stack::{
    managed::{Inventory, Key},
    stack_ref::StackRef,
};

/// How long a write is kept at most. A watch that is later than that is broken, and the object may no longer
/// exist.
const KEPT: Duration = Duration::from_secs(5);

/// Recent writes to all stacks, by the stack's uid.
#[derive(Default)]
pub(crate) struct RecentWrites {
    stacks: Mutex<HashMap<String, Writes>>,
}

#[derive(Default)]
struct Writes {
    objects: HashMap<Key, (Instant, ObjectMeta)>,
    status: Option<Published>,
}

struct Published {
    at: Instant,
    resource_version: Option<String>,
    status: TodoStackStatus,
}

impl Writes {
    fn is_recent(&self, now: Instant) -> bool {
        let Self { objects, status } = self;
        let mut times = objects.values().map(|(at, _)| *at).chain(status.iter().map(|status| status.at));
        times.any(|at| now.duration_since(at) < KEPT)
    }
}

impl RecentWrites {
    /// Records an object as the API server answered it.
    pub(crate) fn applied(&self, stack: &StackRef, key: Key, metadata: ObjectMeta, now: Instant) {
        self.with(stack, |writes| {
            writes.objects.insert(key, (now, metadata));
        });
    }

    pub(crate) fn deleted(&self, stack: &StackRef, key: &Key) {
        self.with(stack, |writes| {
            writes.objects.remove(key);
        });
    }

    /// Records a status as the API server answered it.
    pub(crate) fn published(
        &self,
        stack: &StackRef,
        resource_version: Option<String>,
        status: TodoStackStatus,
        now: Instant,
    ) {
        self.expire(now);
        self.with(stack, |writes| writes.status = Some(Published { at: now, resource_version, status }));
    }

    /// Evicts expired entries. A stack deleted without the operator's finalizer triggers no reconcile that
    /// would remove its entry.
    fn expire(&self, now: Instant) {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.retain(|_, writes| writes.is_recent(now));
    }

    /// Replaces entries of `inventory` that are older than a recent write; returns whether there was any.
    pub(crate) fn refresh(&self, stack: &StackRef, inventory: &mut Inventory, now: Instant) -> bool {
        self.with(stack, |writes| {
            writes.objects.retain(|key, (at, metadata)| {
                let is_recent = now.duration_since(*at) < KEPT;
                is_recent && inventory.get(key).is_none_or(|cached| version(cached) < version(metadata))
            });
            for (key, (_, metadata)) in &writes.objects {
                inventory.insert(key.clone(), metadata.clone());
            }
            !writes.objects.is_empty()
        })
    }

    /// The newer of the watched status and the one published last.
    pub(crate) fn status(&self, stack: &StackRef, watched: &TodoStack, now: Instant) -> TodoStackStatus {
        self.with(stack, |writes| {
            let newer = writes.status.as_ref().filter(|published| {
                now.duration_since(published.at) < KEPT
                    && version(&watched.metadata) < parse(published.resource_version.as_deref())
            });
            newer.map(|published| &published.status).or(watched.status.as_ref()).cloned().unwrap_or_default()
        })
    }

    /// Whether the object was written, and the caches may not have it yet.
    pub(crate) fn contains(&self, stack: &StackRef, key: &Key) -> bool {
        self.with(stack, |writes| writes.objects.contains_key(key))
    }

    /// Evicts the entry of a deleted stack.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.stacks.lock().unwrap_or_else(PoisonError::into_inner).remove(&stack.uid);
    }

    fn with<T>(&self, stack: &StackRef, act: impl FnOnce(&mut Writes) -> T) -> T {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        act(stacks.entry(stack.uid.clone()).or_default())
    }
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35, KEP 5504; etcd's revisions before
/// that).
fn version(metadata: &ObjectMeta) -> u64 {
    parse(metadata.resource_version.as_deref())
}

fn parse(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use todostack_stack::{fixtures, managed::Kind};

    use super::*;

    fn stack(uid: &str) -> StackRef {
        StackRef { namespace: "shops".into(), name: "shop".into(), uid: uid.into(), generation: 1 }
    }

    // Any moment, to count from.
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be written as a literal")]
    fn start() -> Instant {
        Instant::now()
    }

    fn key() -> Key {
        Key { kind: Kind::Service, name: "shop-api".into() }
    }

    fn metadata(version: &str) -> ObjectMeta {
        ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() }
    }

    #[test]
    fn a_write_counts_until_the_watch_brings_it() {
        let (writes, now) = (RecentWrites::default(), start());
        writes.applied(&stack("1"), key(), metadata("7"), now);

        let mut behind = Inventory::default();
        assert!(writes.refresh(&stack("1"), &mut behind, now));
        assert_eq!(behind.get(&key()), Some(&metadata("7")));

        let mut caught_up = Inventory::default();
        caught_up.insert(key(), metadata("8"));
        assert!(!writes.refresh(&stack("1"), &mut caught_up, now));
        assert_eq!(caught_up.get(&key()), Some(&metadata("8")));
    }

    #[test]
    fn a_write_that_no_watch_brings_expires() {
        let (writes, now) = (RecentWrites::default(), start());
        writes.applied(&stack("1"), key(), metadata("7"), now);
        let mut inventory = Inventory::default();
        assert!(!writes.refresh(&stack("1"), &mut inventory, now + KEPT));
        assert!(!inventory.contains(&key()));
    }

    #[test]
    fn stacks_without_a_recent_write_are_evicted() {
        let (writes, now) = (RecentWrites::default(), start());
        writes.applied(&stack("1"), key(), metadata("7"), now);
        writes.published(&stack("2"), None, TodoStackStatus::default(), now + KEPT);
        assert_eq!(writes.stacks.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_published_status_counts_until_the_watch_brings_it() {
        let (writes, now) = (RecentWrites::default(), start());
        let status = |url: &str| TodoStackStatus { url: Some(url.into()), ..TodoStackStatus::default() };
        let watched = |version: &str, status| {
            let mut watched = fixtures::todostack("{}");
            watched.metadata.resource_version = Some(version.into());
            watched.status = status;
            watched
        };
        writes.published(&stack("1"), Some("9".into()), status("new"), now);
        assert_eq!(writes.status(&stack("1"), &watched("8", None), now), status("new"));
        let newer = watched("9", Some(status("newer")));
        assert_eq!(writes.status(&stack("1"), &newer, now), status("newer"));
    }
}
