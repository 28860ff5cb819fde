//! What others change of an object again and again. When that counts as a dispute is decided in
//! `corrections.rs`.

use kube::api::ObjectMeta;
use serde_json::Value;
use todostack_stack::{applied::Dispute, managed::Key};

use super::ownership::taken::{Taken, taken};

/// What others change of an object that was written before. The values of a Secret are compared; whoever
/// changes them owns `data`.
pub(super) fn dispute(key: &Key, desired: &Value, found: Option<&ObjectMeta>) -> Dispute {
    let (field, manager) = match found.and_then(|found| taken(desired, found)) {
        Some(Taken { field, manager }) => (field, manager),
        None => ("data".to_owned(), None),
    };
    Dispute { key: key.clone(), manager, field }
}
