//! Objects that exist although the watch caches lack them, because an apply that was to create them met one:
//! they are foreign, or have lost the label that the watches select by. `missing.rs` reads them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use todostack_stack::{managed::Key, stack_ref::StackRef};

/// The keys of such objects, by the stack's uid.
#[derive(Default)]
pub(crate) struct Unlisted(Mutex<HashMap<String, BTreeSet<Key>>>);

impl Unlisted {
    pub(crate) fn insert(&self, stack: &StackRef, key: Key) {
        self.lock().entry(stack.uid.clone()).or_default().insert(key);
    }

    pub(crate) fn keys(&self, stack: &StackRef) -> BTreeSet<Key> {
        self.lock().get(&stack.uid).cloned().unwrap_or_default()
    }

    /// The object does not exist, or the caches have it.
    pub(super) fn remove(&self, stack: &StackRef, key: &Key) {
        let mut stacks = self.lock();
        if let Some(keys) = stacks.get_mut(&stack.uid) {
            keys.remove(key);
            if keys.is_empty() {
                stacks.remove(&stack.uid);
            }
        }
    }

    /// Evicts the entry of a deleted stack.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.lock().remove(&stack.uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeSet<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
