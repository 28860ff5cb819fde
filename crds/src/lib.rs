//! The contract: every type a user of `TodoStack` can write or read. What the operator does with them lives in `operator/`.

pub mod api;
pub mod condition;
pub mod database;
pub mod exposure;
pub mod postgres;
pub mod reference;
mod rules;
pub mod spec;
pub mod sqlite;
pub mod status;
pub mod storage;

pub use condition::{Class, ConditionType, Reason};
pub use spec::{DeletionPolicy, TodoStack, TodoStackSpec};
pub use status::TodoStackStatus;

/// API group of the contract.
pub const GROUP: &str = "todostack.dev";
/// The one served and stored version.
pub const VERSION: &str = "v1alpha1";
/// Finalizer on stacks whose deletion has work that no owner reference can do.
pub const FINALIZER: &str = "todostack.dev/cleanup";
/// Field manager of every server-side apply, and the value of `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "todostack-operator";
