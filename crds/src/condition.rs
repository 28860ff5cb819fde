//! The words of a status: condition types and the closed set of reasons. When each is given is the operator's matter.

use strum::{EnumIter, IntoStaticStr};

/// The conditions of a `TodoStack`, each with one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
pub enum ConditionType {
    /// The sum of all: people can use the service. Its message is the root cause and what to do.
    Ready,
    /// The database's credentials are there and usable.
    CredentialsValid,
    /// The volume is bound.
    StorageReady,
    /// The database takes connections.
    DatabaseReady,
    /// The schema is the one that the API image needs.
    MigrationsApplied,
    /// As many API pods as wanted say that they can serve.
    ApiAvailable,
    /// People can reach the API.
    Exposed,
    /// Abnormal-true: the operator or the cluster is still working towards the spec.
    Reconciling,
    /// Abnormal-true: it goes on only when a person changes something.
    Stalled,
}

impl ConditionType {
    /// The `type` as written in the status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a condition is as it is: one word, stable, the same in conditions, events and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
pub enum Reason {
    /// All is as it should be.
    AsExpected,
    /// This kind of stack has no such part.
    NotNeeded,
    /// `spec.paused` is true.
    Paused,
    /// Not looked at yet.
    NotObserved,
    /// An object was written and the cluster works on it.
    Progressing,
    /// Something before it in the chain is not ready.
    WaitingForDependency,

    /// A Secret that the spec names is not there.
    SecretNotFound,
    /// A Secret lacks a key.
    SecretKeyMissing,
    /// A key of a Secret has a value that cannot be used.
    SecretKeyInvalid,
    /// A ConfigMap that the spec names is not there.
    ConfigMapNotFound,

    /// Neither a StorageClass nor an export is named, and the cluster has no default class.
    NoDefaultStorageClass,
    /// The StorageClass that the spec names is not there.
    StorageClassNotFound,
    /// The claim is not bound yet.
    VolumePending,
    /// Another stack uses the same export.
    VolumeShared,
    /// The kubelet cannot mount the volume.
    MountFailed,
    /// The volume holds data of another major version than the spec's.
    VersionMismatch,

    /// The scheduler finds no node for a pod.
    Unschedulable,
    /// An image cannot be pulled.
    ImagePullFailed,
    /// A container cannot be created: a Secret, key or setting it needs is wrong.
    ContainerConfigInvalid,
    /// A container ends again and again.
    CrashLoop,
    /// A container was ended for using more memory than its limit.
    OutOfMemory,

    /// The migration Job failed.
    MigrationFailed,

    /// The IngressClass that the spec names is not there.
    IngressClassNotFound,
    /// No IngressClass is named, and the cluster has no default one.
    NoDefaultIngressClass,
    /// No IngressClass is named, and the cluster has several default ones.
    SeveralDefaultIngressClasses,
    /// The Secret with the certificate is not there.
    TlsSecretNotFound,
    /// No controller has given the Ingress or Service an address yet.
    AddressPending,

    /// An object of a name that the stack needs belongs to someone else.
    NameTaken,
    /// The API server refuses an object: quota, admission, rights.
    ApplyRefused,
    /// The object cannot be read as a `TodoStack`.
    SpecInvalid,
}

impl Reason {
    /// The reason as written in the status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
