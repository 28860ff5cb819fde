//! The PersistentVolumes of StorageClasses, which no watch brings: there may be many, and few are of stacks.
//! One is read when its claim changes, when the operator has written it, and now and then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use todostack_stack::stack_ref::StackRef;

/// How long a volume counts as read: shorter than the pause of a stack that is ready, so that it is read
/// then.
const KEPT: Duration = Duration::from_mins(5);

/// The volume of each stack as it was read last, by the stack's uid.
#[derive(Default)]
pub(crate) struct DataVolumes(Mutex<HashMap<String, Read>>);

/// A volume as it was read, or that it does not exist.
#[derive(Debug, PartialEq)]
pub(super) struct Known(pub(super) Option<Arc<PersistentVolume>>);

struct Read {
    at: Instant,
    /// resourceVersion of the claim.
    claim: Option<String>,
    volume: Option<Arc<PersistentVolume>>,
}

impl DataVolumes {
    /// The volume of the claim, unless it has to be read.
    pub(super) fn get(&self, stack: &StackRef, claim: &PersistentVolumeClaim, now: Instant) -> Option<Known> {
        // What becomes of the data depends on the volume's reclaim policy.
        if claim.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let volumes = self.lock();
        let read = volumes.get(&stack.uid)?;
        let is_current = read.claim == claim.metadata.resource_version && now - read.at < KEPT;
        is_current.then(|| Known(read.volume.clone()))
    }

    pub(super) fn insert(
        &self,
        stack: &StackRef,
        claim: &PersistentVolumeClaim,
        volume: Option<Arc<PersistentVolume>>,
        now: Instant,
    ) {
        let read = Read { at: now, claim: claim.metadata.resource_version.clone(), volume };
        self.lock().insert(stack.uid.clone(), read);
    }

    /// Evicts a volume that was written, or that of a deleted stack.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.lock().remove(&stack.uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Read>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(version: &str, deleted: bool) -> PersistentVolumeClaim {
        let deleted = deleted.then_some("2026-11-21T12:00:00Z");
        serde_json::from_value(
            json!({"metadata": {"resourceVersion": version, "deletionTimestamp": deleted}}),
        )
        .unwrap()
    }

    // Any moment, to count from.
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be written as a literal")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_volume_is_read_again_when_its_claim_changes_or_goes_and_now_and_then() {
        let (volumes, now) = (DataVolumes::default(), start());
        let stack = StackRef { namespace: "a".into(), name: "b".into(), uid: "1".into(), generation: 1 };
        assert_eq!(volumes.get(&stack, &claim("7", false), now), None);
        volumes.insert(&stack, &claim("7", false), None, now);
        assert_eq!(volumes.get(&stack, &claim("7", false), now + KEPT / 2), Some(Known(None)));
        assert_eq!(volumes.get(&stack, &claim("8", false), now), None);
        assert_eq!(volumes.get(&stack, &claim("7", true), now), None);
        assert_eq!(volumes.get(&stack, &claim("7", false), now + KEPT), None);
        volumes.evict(&stack);
        assert_eq!(volumes.get(&stack, &claim("7", false), now), None);
    }
}
