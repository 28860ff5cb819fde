//! Result of the apply step: what the API server rejected. Writing is the operator's.

use crate::managed::Key;

#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Objects that the API server rejected, each with the API server's message.
    pub rejected: Vec<(Key, String)>,
}
