//! Condition types of `.status.conditions`. Their reasons are in `reason.rs`; when each is set is decided in
//! `stack/src/conditions/`.

use strum::{EnumIter, IntoStaticStr};

/// The condition types of a `TodoStack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
pub enum ConditionType {
    /// The summary: clients can use the service. If it is not true, reason and message are those of the root
    /// cause.
    Ready,
    /// The credentials of the database exist and are usable.
    CredentialsValid,
    /// The PersistentVolumeClaim is bound, and its volume can be mounted.
    StorageReady,
    /// The database server accepts connections.
    DatabaseReady,
    /// The schema of the database is the one that the API image needs.
    MigrationsApplied,
    /// As many API pods are ready as the spec asks for.
    ApiAvailable,
    /// The Ingress or the Service of the API has an address, so that clients can reach it.
    Exposed,
    /// True while the operator or the cluster still works toward the spec (kstatus: abnormal if true).
    Reconciling,
    /// True if progress requires a change by a user (kstatus: abnormal if true).
    Stalled,
}

impl ConditionType {
    /// The `type` of the condition, in `PascalCase`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
