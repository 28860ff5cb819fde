//! The API types: all that a user of `TodoStack` can write or read, with its validation rules. What the
//! operator does with them is in `stack/` and `operator/`.

pub mod api;
pub mod condition;
pub mod database;
pub mod exposure;
pub mod page;
pub mod pods;
pub mod postgres;
pub mod reason;
pub mod reference;
mod rules;
pub mod spec;
pub mod sqlite;
pub mod status;
pub mod storage;
pub mod yaml;

pub use condition::ConditionType;
pub use reason::{Class, Reason};
pub use spec::{DeletionPolicy, TodoStack, TodoStackSpec};
pub use status::TodoStackStatus;

/// API group of `TodoStack`.
pub const GROUP: &str = "todostack.dev";
/// The only version that is served and stored.
pub const VERSION: &str = "v1alpha1";
/// Finalizer of stacks whose PersistentVolume the operator deletes: it is cluster-scoped, so a stack cannot
/// own it.
pub const FINALIZER: &str = "todostack.dev/cleanup";
/// Field manager of server-side apply, and the value of the label `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "todostack-operator";
