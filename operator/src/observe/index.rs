//! Values found by what they concern, so that a reconcile costs what its stack has and not what the cluster
//! has. Which keys a value has is decided by who inserts it.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use todostack_stack::{export::Export, upgrade::Rollout};
use tokio::sync::watch;

/// What an object is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Namespace, or none, and name of the object itself.
    Name(Option<String>, String),
    /// Namespace and name of the stack that the object's labels name.
    Stack(String, String),
    /// uid of its controller.
    Owner(String),
    Export(Export),
    Host(String),
    /// An Ingress without a host.
    AnyHost,
    /// Namespace and name of a Secret that a stack references.
    Secret(String, String),
    /// An upgrade has begun with the object, and has not ended.
    Upgrading(Rollout),
}

/// An index; a clone shares the items.
pub(crate) struct Index<T>(Arc<Shared<T>>);

struct Shared<T> {
    hasher: RandomState,
    items: Mutex<Items<T>>,
    /// Becomes true when the watch has listed once.
    listed: watch::Sender<bool>,
}

struct Items<T> {
    /// By the hash of each of their keys. Two keys of one hash only yield items that concern others.
    by_key: HashMap<u64, Vec<Arc<Item<T>>>>,
    /// Number of the list that items are of. What the last list does not have no longer exists.
    list: u32,
}

pub(crate) struct Item<T> {
    pub(crate) value: T,
    name: Key,
    /// Of all keys, the name among them.
    hashes: Box<[u64]>,
    list: u32,
}

impl<T> Clone for Index<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        let items = Mutex::new(Items { by_key: HashMap::new(), list: 0 });
        let (listed, _) = watch::channel(false);
        Self(Arc::new(Shared { hasher: RandomState::new(), items, listed }))
    }
}

impl<T> Index<T> {
    /// Waits until the watch has listed once.
    pub(crate) async fn ready(&self) {
        // This holds a sender, so the channel is open.
        let _ = self.0.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Items with one of the keys, each once, and perhaps others.
    pub(crate) fn find(&self, keys: impl IntoIterator<Item = Key>) -> Vec<Arc<Item<T>>> {
        let items = self.lock();
        let mut found: Vec<Arc<Item<T>>> = Vec::new();
        for key in keys {
            for item in items.by_key.get(&self.hash(&key)).into_iter().flatten() {
                if !found.iter().any(|known| Arc::ptr_eq(known, item)) {
                    found.push(Arc::clone(item));
                }
            }
        }
        found
    }

    /// Every item once.
    pub(crate) fn all(&self) -> Vec<Arc<Item<T>>> {
        let items = self.lock();
        let entries =
            items.by_key.iter().flat_map(|(hash, items)| items.iter().map(move |item| (hash, item)));
        // Each is found by its name first.
        entries
            .filter(|(hash, item)| item.hashes.first() == Some(hash))
            .map(|(_, item)| Arc::clone(item))
            .collect()
    }

    /// Inserts a value by its name and other keys, in place of the one of that name.
    pub(crate) fn insert(&self, name: Key, others: impl IntoIterator<Item = Key>, value: T) {
        let mut items = self.lock();
        self.remove_from(&mut items, &name);
        let others = others.into_iter().map(|key| self.hash(&key));
        let hashes = std::iter::once(self.hash(&name)).chain(others).collect();
        let item = Arc::new(Item { value, name, hashes, list: items.list });
        for hash in &item.hashes {
            items.by_key.entry(*hash).or_default().push(Arc::clone(&item));
        }
    }

    pub(crate) fn remove(&self, name: &Key) {
        self.remove_from(&mut self.lock(), name);
    }

    /// Begins a list, of which each value is inserted.
    pub(crate) fn start_list(&self) {
        let mut items = self.lock();
        items.list = items.list.wrapping_add(1);
    }

    /// Removes what the list did not have.
    pub(crate) fn end_list(&self) {
        let mut items = self.lock();
        let current = items.list;
        items.by_key.retain(|_, items| {
            items.retain(|item| item.list == current);
            !items.is_empty()
        });
        self.0.listed.send_replace(true);
    }

    fn remove_from(&self, items: &mut Items<T>, name: &Key) {
        let mut of_name = items.by_key.get(&self.hash(name)).into_iter().flatten();
        let Some(old) = of_name.find(|item| item.name == *name).cloned() else { return };
        for hash in &old.hashes {
            if let Some(of_key) = items.by_key.get_mut(hash) {
                of_key.retain(|item| !Arc::ptr_eq(item, &old));
                if of_key.is_empty() {
                    items.by_key.remove(hash);
                }
            }
        }
    }

    fn hash(&self, key: &Key) -> u64 {
        self.0.hasher.hash_one(key)
    }

    fn lock(&self) -> MutexGuard<'_, Items<T>> {
        self.0.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::runtime::watcher;
    use proptest::prelude::*;

    use super::*;

    // Name, and the stacks that it concerns.
    type Object = (u8, Vec<u8>);

    fn name(name: u8) -> Key {
        Key::Name(None, name.to_string())
    }

    fn stack(name: u8) -> Key {
        Key::Stack("shops".into(), name.to_string())
    }

    fn receive(index: &Index<Object>, event: &watcher::Event<Object>) {
        match event {
            watcher::Event::Init => index.start_list(),
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                index.insert(name(object.0), object.1.iter().copied().map(stack), object.clone());
            }
            watcher::Event::InitDone => index.end_list(),
            watcher::Event::Delete(object) => index.remove(&name(object.0)),
        }
    }

    fn events() -> impl Strategy<Value = Vec<watcher::Event<Object>>> {
        let object = || (0..6u8, prop::collection::vec(0..4u8, 0..3));
        let list = prop::collection::vec(object(), 0..6).prop_map(|objects| {
            let objects = objects.into_iter().map(watcher::Event::InitApply);
            std::iter::once(watcher::Event::Init).chain(objects).chain([watcher::Event::InitDone]).collect()
        });
        let apply = object().prop_map(|object| vec![watcher::Event::Apply(object)]);
        let delete = object().prop_map(|object| vec![watcher::Event::Delete(object)]);
        prop::collection::vec(prop_oneof![list, apply.boxed(), delete.boxed()], 0..20)
            .prop_map(|events| events.concat())
    }

    // What a plain map holds after the events.
    fn expected(events: &[watcher::Event<Object>]) -> BTreeMap<u8, Vec<u8>> {
        let mut objects = BTreeMap::new();
        for event in events {
            match event {
                watcher::Event::Init => objects.clear(),
                watcher::Event::InitApply((name, stacks)) | watcher::Event::Apply((name, stacks)) => {
                    objects.insert(*name, stacks.clone());
                }
                watcher::Event::InitDone => {}
                watcher::Event::Delete((name, _)) => drop(objects.remove(name)),
            }
        }
        objects
    }

    proptest! {
        #[test]
        fn objects_are_found_by_each_of_their_keys_and_no_other(events in events()) {
            let index = Index::default();
            for event in &events {
                receive(&index, event);
            }
            let expected = expected(&events);
            for number in 0..6 {
                let found: Vec<_> = index.find([name(number)]).iter().map(|it| it.value.1.clone()).collect();
                prop_assert_eq!(found, Vec::from_iter(expected.get(&number).cloned()));
                let mut found: Vec<_> = index.find([stack(number)]).iter().map(|it| it.value.0).collect();
                found.sort_unstable();
                let of_stack = expected.iter().filter(|(_, stacks)| stacks.contains(&number));
                prop_assert_eq!(found, of_stack.map(|(name, _)| *name).collect::<Vec<_>>());
            }
            let total: usize = index.lock().by_key.values().map(Vec::len).sum();
            prop_assert_eq!(total, expected.values().map(|stacks| 1 + stacks.len()).sum::<usize>());
        }
    }
}
