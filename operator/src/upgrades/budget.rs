//! Which stacks may restart pods for an upgrade at the same time, and which wait for that, in turn. Why a
//! stack has to is decided in `stack/src/upgrade.rs`.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

pub(super) struct Budget<S> {
    limit: usize,
    /// Stacks that roll out, and whether it was reported that their pods do not become ready.
    holders: HashMap<S, bool>,
    waiting: VecDeque<S>,
}

impl<S: Hash + Eq + Clone> Budget<S> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, holders: HashMap::new(), waiting: VecDeque::new() }
    }

    /// A rollout that has begun, whoever allowed it, counts.
    pub(super) fn enter(&mut self, stack: &S) {
        self.waiting.retain(|waiting| waiting != stack);
        self.holders.entry(stack.clone()).or_insert(false);
    }

    /// Whether the rollout may begin. `others` are the stacks of which the cluster shows that they roll out.
    pub(super) fn acquire(&mut self, stack: &S, others: impl FnOnce() -> Vec<S>) -> bool {
        if self.holders.contains_key(stack) {
            return true;
        }
        if self.holders.len() < self.limit {
            for other in others() {
                self.enter(&other);
            }
        }
        // It may be one of them.
        if self.holders.len() < self.limit || self.holders.contains_key(stack) {
            self.enter(stack);
            return true;
        }
        if !self.waiting.contains(stack) {
            self.waiting.push_back(stack.clone());
        }
        false
    }

    /// The rollout has ended, or is none. Returns the stacks whose turn it is.
    pub(super) fn leave(&mut self, stack: &S) -> Vec<S> {
        self.holders.remove(stack);
        self.waiting.retain(|waiting| waiting != stack);
        let free = self.limit.saturating_sub(self.holders.len()).min(self.waiting.len());
        self.waiting.drain(..free).collect()
    }

    /// Drops stacks that no longer exist.
    pub(super) fn retain(&mut self, exists: impl Fn(&S) -> bool) {
        self.holders.retain(|stack, _| exists(stack));
        self.waiting.retain(exists);
    }

    /// Records that the pods of a stack that rolls out do not become ready; returns whether that is new.
    pub(super) fn stopped(&mut self, stack: &S, is_stopped: bool) -> bool {
        let Some(known) = self.holders.get_mut(stack) else { return false };
        let is_new = is_stopped && !*known;
        *known = is_stopped;
        is_new
    }

    /// How many roll out, how many of these have stopped, and how many wait.
    pub(super) fn counts(&self) -> [usize; 3] {
        let stopped = self.holders.values().filter(|is_stopped| **is_stopped).count();
        [self.holders.len(), stopped, self.waiting.len()]
    }

    pub(super) fn is_full(&self) -> bool {
        self.holders.len() >= self.limit
    }
}

#[cfg(test)]
mod tests;
