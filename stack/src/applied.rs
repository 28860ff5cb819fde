//! Result of the apply step: what the API server did not store. Writing is the operator's.

use crate::managed::Key;

#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Objects that the API server rejected, each with the API server's message.
    pub rejected: Vec<(Key, String)>,
    /// Objects whose write failed for a reason that is not theirs, such as an admission webhook that does not
    /// answer, each with the API server's message.
    pub failed: Vec<(Key, String)>,
    /// The PersistentVolume whose reclaim policy the API server did not let the operator set, with the API
    /// server's message.
    pub unretained: Option<(String, String)>,
    /// Objects that are being deleted, which are created again when they are gone.
    pub terminating: Vec<Key>,
    /// Whether a write met a newer version of its object, which the next reconcile reads.
    pub conflict: bool,
    /// Objects that others change again and again.
    pub disputes: Vec<Dispute>,
}

/// An object of which another controller takes a field whenever the operator has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub key: Key,
    /// The field manager. None if `managedFields` do not show it.
    pub manager: Option<String>,
    /// Path of the field.
    pub field: String,
}

impl Applied {
    /// Adds the result of other writes.
    pub fn extend(&mut self, other: Self) {
        let Self { rejected, failed, unretained, terminating, conflict, disputes } = other;
        self.rejected.extend(rejected);
        self.failed.extend(failed);
        self.unretained = self.unretained.take().or(unretained);
        self.terminating.extend(terminating);
        self.conflict |= conflict;
        self.disputes.extend(disputes);
    }
}
