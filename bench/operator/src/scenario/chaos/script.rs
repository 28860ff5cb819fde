//! What users do to the stacks, by a seed. Sends nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::end_state;
use crate::stacks::{self, Id};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Create(Value),
    /// A merge patch.
    Edit(Value),
    Delete,
}

pub(super) struct Script {
    random: StdRng,
    stacks: usize,
    existing: BTreeSet<Id>,
}

impl Script {
    pub(super) fn new(seed: u64, stacks: usize) -> Self {
        Self { random: StdRng::seed_from_u64(seed), stacks, existing: BTreeSet::new() }
    }

    pub(super) fn existing(&self) -> BTreeSet<Id> {
        self.existing.clone()
    }

    /// Creates a stack that does not exist; edits one that does, or deletes it.
    pub(super) fn next(&mut self) -> (Id, Change) {
        let id = Id::number(self.random.random_range(0..self.stacks.max(1)));
        let change = if !self.existing.contains(&id) {
            let mut stack = stacks::todostack(&id);
            let policy = if end_state::is_retained(&id) { "Retain" } else { "Delete" };
            if let Some(spec) = stack.get_mut("spec").and_then(Value::as_object_mut) {
                spec.insert("deletionPolicy".to_owned(), json!(policy));
            }
            Change::Create(stack)
        } else if self.random.random_bool(0.3) {
            Change::Delete
        } else {
            Change::Edit(self.edit(&id))
        };
        (id, change)
    }

    fn edit(&mut self, id: &Id) -> Value {
        let mut pick = |count: u32| self.random.random_range(0..count);
        let level = |number| match number {
            0 => "debug",
            1 => "info",
            _ => "warn",
        };
        match pick(4) {
            0 => json!({"spec": {"api": {"logLevel": level(pick(3))}}}),
            1 => json!({"spec": {"api": {"replicas": 1 + pick(3)}}}),
            2 => {
                json!({"spec": {"api": {"image": format!("registry.example.com/todostack-api:{}", 1 + pick(2))}}})
            }
            _ => json!({"spec": {"exposure": {"host": format!("v{}.{}", pick(9), id.host())}}}),
        }
    }

    /// The API server has accepted it.
    pub(super) fn accept(&mut self, id: &Id, change: &Change) {
        match change {
            Change::Create(_) => {
                self.existing.insert(id.clone());
            }
            Change::Edit(_) => {}
            Change::Delete => {
                self.existing.remove(id);
            }
        }
    }

    /// A time below twice the mean.
    pub(super) fn pause(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(self.random.random_range(0.0..2.0))
    }
}

#[cfg(test)]
mod tests {
    use todostack_crds::TodoStack;

    use super::*;

    fn changes(seed: u64) -> Vec<(Id, Change)> {
        let mut script = Script::new(seed, 5);
        let next = |_| {
            let (id, change) = script.next();
            script.accept(&id, &change);
            (id, change)
        };
        (0..200).map(next).collect()
    }

    #[test]
    fn a_seed_tells_all_changes() {
        assert_eq!(changes(1), changes(1));
        assert_ne!(changes(1), changes(2));
    }

    #[test]
    fn a_stack_is_created_before_it_is_changed_and_nothing_is_done_twice() {
        let mut existing = BTreeSet::new();
        let (mut deleted, mut edited) = (0, 0);
        for (id, change) in changes(1) {
            match change {
                Change::Create(stack) => {
                    // A field that the types do not know would change nothing.
                    let known: TodoStack = serde_json::from_value(stack.clone()).unwrap();
                    let policy = serde_json::to_value(known.spec.deletion_policy).unwrap();
                    assert_eq!(policy, stack["spec"]["deletionPolicy"]);
                    assert!(existing.insert(id));
                }
                Change::Edit(_) => {
                    assert!(existing.contains(&id));
                    edited += 1;
                }
                Change::Delete => {
                    assert!(existing.remove(&id));
                    deleted += 1;
                }
            }
        }
        assert!(deleted > 10 && edited > 10, "{deleted} {edited}");
    }
}
