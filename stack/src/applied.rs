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
}
