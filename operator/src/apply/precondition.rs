//! What an apply requires of the object that it writes: ADR 15.

use kube::api::ObjectMeta;
use serde_json::Value;

/// A resourceVersion that no object has: etcd's first write has revision 2.
const NONE: &str = "1";

/// The desired object with what was observed as its precondition: that object, by its uid, or none. The API
/// server answers 409 if that is no longer so, and an object that someone else created stays untouched.
pub(super) fn expecting(mut desired: Value, found: Option<&ObjectMeta>) -> Value {
    let (field, value) = match found {
        Some(found) => ("uid", found.uid.as_deref()),
        None => ("resourceVersion", Some(NONE)),
    };
    if let (Some(metadata), Some(value)) = (desired.get_mut("metadata").and_then(Value::as_object_mut), value)
    {
        metadata.insert(field.to_owned(), Value::String(value.to_owned()));
    }
    desired
}

/// Whether the precondition did not hold.
pub(super) fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_conflict())
}
