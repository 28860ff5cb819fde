//! The edits of users go before resyncs: reconciles that nobody has asked for, such as those of all stacks
//! after a start, take some of the places only.

use std::sync::Arc;

use todostack_crds::TodoStack;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of reconciles that no edit has caused.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Semaphore>);

/// A place, until it is dropped.
pub(crate) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Lane {
    /// Three quarters of all places, at least one.
    pub(crate) fn new(concurrency: u16) -> Self {
        let places = usize::from(concurrency) * 3 / 4;
        Self(Arc::new(Semaphore::new(places.max(1))))
    }

    /// A place for a reconcile of `stack`. None if it is no edit, and the places for these are taken.
    pub(crate) fn enter(&self, stack: &TodoStack) -> Option<Place> {
        if is_edited(stack) {
            return Some(Place { _permit: None });
        }
        self.0.clone().try_acquire_owned().ok().map(|permit| Place { _permit: Some(permit) })
    }
}

/// Whether the stack is new, was deleted, or has a spec that was not reconciled yet.
fn is_edited(stack: &TodoStack) -> bool {
    let observed = stack.status.as_ref().and_then(|status| status.observed_generation);
    stack.metadata.deletion_timestamp.is_some() || observed != stack.metadata.generation
}

#[cfg(test)]
mod tests {
    use todostack_crds::TodoStackStatus;
    use todostack_stack::fixtures;

    use super::*;

    fn observed(generation: Option<i64>) -> TodoStack {
        let mut stack = fixtures::todostack("{}");
        stack.metadata.generation = Some(2);
        stack.status =
            Some(TodoStackStatus { observed_generation: generation, ..TodoStackStatus::default() });
        stack
    }

    #[test]
    fn edits_have_a_place_while_resyncs_take_all_of_theirs() {
        let lane = Lane::new(4);
        let mut resyncs: Vec<_> = (0..5).map(|_| lane.enter(&observed(Some(2)))).collect();
        assert_eq!(resyncs.iter().flatten().count(), 3);
        for edited in [observed(Some(1)), observed(None), observed(Some(-1))] {
            assert!(lane.enter(&edited).is_some());
        }
        let mut deleted = observed(Some(2));
        deleted.metadata.deletion_timestamp = deleted.metadata.creation_timestamp.clone();
        assert!(lane.enter(&deleted).is_some());
        resyncs.clear();
        assert!(lane.enter(&observed(Some(2))).is_some());
    }
}
