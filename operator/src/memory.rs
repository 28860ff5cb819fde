//! What this process wrote and the watches have not brought yet, so that a pass right after a write does not write
//! again. Nothing here outlives the process, and nothing depends on it but the number of requests.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use kube::api::ObjectMeta;
use todostack_crds::TodoStackStatus;

use crate::children::{Children, Key};

/// How long a write is remembered at most: a watch that is later than that is broken, and its object may be gone.
const KEPT: Duration = Duration::from_secs(5);

/// Namespace and name of a stack.
type StackKey = (String, String);

/// What was written of late.
#[derive(Default)]
pub struct Memory {
    stacks: Mutex<HashMap<StackKey, Written>>,
}

#[derive(Default)]
struct Written {
    children: HashMap<Key, (Instant, ObjectMeta)>,
    status: Option<(Instant, Option<String>, TodoStackStatus)>,
}

impl Written {
    fn counts(&self, now: Instant) -> bool {
        let Self { children, status } = self;
        let mut moments =
            children.values().map(|(then, _)| then).chain(status.iter().map(|(then, _, _)| then));
        moments.any(|then| now.duration_since(*then) < KEPT)
    }
}

impl Memory {
    /// Notes a child as the API server answered it.
    pub fn wrote(&self, stack: (&str, &str), key: Key, metadata: ObjectMeta, now: Instant) {
        self.with(stack, |written| {
            written.children.insert(key, (now, metadata));
        });
    }

    /// Notes that a child was deleted.
    pub fn deleted(&self, stack: (&str, &str), key: &Key) {
        self.with(stack, |written| {
            written.children.remove(key);
        });
    }

    /// Notes a status as the API server answered it.
    pub fn published(
        &self,
        stack: (&str, &str),
        version: Option<String>,
        status: TodoStackStatus,
        now: Instant,
    ) {
        self.expire(now);
        self.with(stack, |written| written.status = Some((now, version, status)));
    }

    /// Drops what is too old to count: of a stack that went without a finalizer of ours, no pass tells.
    fn expire(&self, now: Instant) {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.retain(|_, written| written.counts(now));
    }

    /// Puts what is newer than the caches in their place; returns whether there was any.
    pub fn refresh(&self, stack: (&str, &str), children: &mut Children, now: Instant) -> bool {
        self.with(stack, |written| {
            written.children.retain(|key, (then, metadata)| {
                let recent = now.duration_since(*then) < KEPT;
                recent && children.get(key).is_none_or(|cached| version(cached) < version(metadata))
            });
            for (key, (_, metadata)) in &written.children {
                children.insert(key.clone(), metadata.clone());
            }
            !written.children.is_empty()
        })
    }

    /// The newer of the watched status and the one published last.
    pub fn status(
        &self,
        stack: (&str, &str),
        watched: (&ObjectMeta, Option<&TodoStackStatus>),
        now: Instant,
    ) -> TodoStackStatus {
        let (metadata, status) = watched;
        self.with(stack, |written| {
            let newer = written.status.as_ref().filter(|(then, published, _)| {
                now.duration_since(*then) < KEPT && version(metadata) < parse(published.as_deref())
            });
            newer.map(|(_, _, status)| status).or(status).cloned().unwrap_or_default()
        })
    }

    /// Forgets a stack that is gone.
    pub fn forget(&self, stack: (&str, &str)) {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.remove(&(stack.0.to_owned(), stack.1.to_owned()));
    }

    fn with<T>(&self, (namespace, name): (&str, &str), act: impl FnOnce(&mut Written) -> T) -> T {
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        act(stacks.entry((namespace.to_owned(), name.to_owned())).or_default())
    }
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35, KEP 5504; etcd's revision before that).
fn version(metadata: &ObjectMeta) -> u64 {
    parse(metadata.resource_version.as_deref())
}

fn parse(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{children::Kind, fixtures};

    const STACK: (&str, &str) = ("shops", "shop");

    fn key() -> Key {
        Key { kind: Kind::Service, name: "shop-api".into() }
    }

    fn metadata(version: &str) -> ObjectMeta {
        ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() }
    }

    #[test]
    fn a_write_is_seen_before_the_watch_brings_it_and_forgotten_after() {
        let (memory, now) = (Memory::default(), fixtures::instant());
        memory.wrote(STACK, key(), metadata("7"), now);

        let mut behind = Children::default();
        assert!(memory.refresh(STACK, &mut behind, now));
        assert_eq!(behind.get(&key()), Some(&metadata("7")));

        let mut caught_up = Children::default();
        caught_up.insert(key(), metadata("8"));
        assert!(!memory.refresh(STACK, &mut caught_up, now));
        assert_eq!(caught_up.get(&key()), Some(&metadata("8")));
    }

    #[test]
    fn a_write_that_no_watch_brings_is_not_believed_for_ever() {
        let (memory, now) = (Memory::default(), fixtures::instant());
        memory.wrote(STACK, key(), metadata("7"), now);
        let mut children = Children::default();
        assert!(!memory.refresh(STACK, &mut children, now + KEPT));
        assert!(!children.contains(&key()));
    }

    #[test]
    fn stacks_that_nothing_was_written_to_of_late_are_forgotten() {
        let (memory, now) = (Memory::default(), fixtures::instant());
        memory.wrote(STACK, key(), metadata("7"), now);
        memory.published(("shops", "other"), None, TodoStackStatus::default(), now + KEPT);
        assert_eq!(memory.stacks.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_status_that_was_published_counts_until_the_watch_brings_it() {
        let (memory, now) = (Memory::default(), fixtures::instant());
        let published = TodoStackStatus { url: Some("new".into()), ..TodoStackStatus::default() };
        memory.published(STACK, Some("9".into()), published.clone(), now);
        assert_eq!(memory.status(STACK, (&metadata("8"), None), now), published);
        let watched = TodoStackStatus { url: Some("newer".into()), ..TodoStackStatus::default() };
        assert_eq!(memory.status(STACK, (&metadata("9"), Some(&watched)), now), watched);
    }
}
