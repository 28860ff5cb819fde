//! The words of a status: condition types and the closed set of reasons. When each is given is the operator's matter.

use strum::{EnumIter, EnumMessage, IntoEnumIterator as _, IntoStaticStr};

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

/// Why a condition is as it is: one word, stable, the same in conditions, events and metrics. Declared in the order of
/// causality, by which findings of one part are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumMessage, IntoStaticStr)]
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

    /// A Secret that is named is not there.
    SecretNotFound,
    /// A Secret lacks a key.
    SecretKeyMissing,
    /// A key of a Secret has a value that cannot be used.
    SecretKeyInvalid,
    /// A value of a Secret ends in a line end, which is left out.
    TrailingNewline,
    /// A ConfigMap that the spec names is not there.
    ConfigMapNotFound,

    /// Neither a StorageClass nor an export is named, and the cluster has no default class.
    NoDefaultStorageClass,
    /// The StorageClass that the spec names is not there.
    StorageClassNotFound,
    /// The class of the claim gives it no volume.
    ProvisioningFailed,
    /// The claim is not bound yet.
    VolumePending,
    /// Another stack uses the same export.
    VolumeShared,
    /// The NFS server does not have the path.
    ExportNotFound,
    /// The NFS server does not let the node in.
    MountAccessDenied,
    /// The NFS server does not answer.
    NfsServerUnreachable,
    /// The kubelet cannot mount the volume, for another cause.
    FailedMount,
    /// The volume's directory does not belong to the server's user.
    VolumeOwnerMismatch,
    /// The volume cannot be written.
    VolumeNotWritable,
    /// The volume is mounted so that a slow server becomes an I/O error.
    VolumeMountedSoft,
    /// The volume takes long to keep a write.
    VolumeSlow,
    /// An earlier start was cut off while it prepared the directory.
    VolumeHalfInitialized,
    /// The volume holds data of another major version than the spec's.
    VersionMismatch,
    /// The volume is full.
    DiskFull,

    /// The scheduler finds no node for a pod, for another cause than the next two.
    Unschedulable,
    /// No node has the CPU or memory that a pod asks for.
    InsufficientResources,
    /// The nodes have a taint that a pod does not tolerate.
    UntoleratedTaint,
    /// The node of a pod does not answer.
    NodeNotReady,

    /// The registry has no such image.
    ImageNotFound,
    /// The registry does not give the image to this cluster.
    ImagePullUnauthorized,
    /// The image's name cannot be read.
    InvalidImageName,
    /// The node does not have the image and may not pull it.
    ErrImageNeverPull,
    /// The image is for another processor.
    ImageArchitectureMismatch,
    /// An image cannot be pulled, for another cause.
    ImagePullBackOff,

    /// A container's command is not in its image.
    ContainerCommandNotFound,
    /// A container cannot be created, for another cause.
    CreateContainerError,
    /// A container ends again and again.
    CrashLoopBackOff,
    /// A container was ended for using more memory than its limit.
    OOMKilled,
    /// A container runs and its probe fails.
    ProbeFailed,
    /// A pod does not go.
    StuckTerminating,
    /// New pods do not become ready in time.
    ProgressDeadlineExceeded,

    /// The server does not answer.
    DatabaseUnreachable,
    /// The server replays its log after it was cut off.
    DatabaseRecovering,
    /// The server refuses the login.
    AuthenticationFailed,
    /// The server has no connection left.
    TooManyConnections,
    /// The migration failed.
    MigrationFailed,

    /// The IngressClass that the spec names is not there.
    IngressClassNotFound,
    /// No IngressClass is named, and the cluster has no default one.
    NoDefaultIngressClass,
    /// No IngressClass is named, and the cluster has several default ones.
    MultipleDefaultIngressClasses,
    /// The Secret with the certificate is not there.
    TlsSecretNotFound,
    /// Another stack has the same host name.
    HostConflict,
    /// No controller has given the Ingress or Service an address yet.
    AddressPending,

    /// An object of a name that the stack needs belongs to someone else.
    NameConflict,
    /// The namespace's quota is used up.
    QuotaExceeded,
    /// A LimitRange of the namespace does not allow what a container asks for.
    LimitRangeViolated,
    /// Pod Security of the namespace does not allow a pod.
    PodSecurityViolated,
    /// The API server refuses an object, for another cause.
    ApplyRejected,
    /// The object cannot be read as a `TodoStack`.
    SpecInvalid,
}

/// What a reason means for the part whose condition has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The part works.
    Good,
    /// The stack has no such part, or its part is paused.
    Inactive,
    /// The part waits for something that happens without a change by a user.
    Waiting,
    /// The part works; a user should know.
    Warning,
    /// The part does not work.
    Problem,
}

impl Reason {
    /// The reason as written in the status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The reason of a string that `as_str` returned.
    #[must_use]
    pub fn parse(reason: &str) -> Option<Self> {
        Self::iter().find(|known| known.as_str() == reason)
    }

    /// What the reason means.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a line for each reason")]
    pub fn class(self) -> Class {
        match self {
            Self::AsExpected => Class::Good,
            Self::NotNeeded | Self::Paused => Class::Inactive,
            Self::NotObserved
            | Self::Progressing
            | Self::WaitingForDependency
            | Self::VolumePending
            | Self::AddressPending => Class::Waiting,
            Self::TrailingNewline | Self::VolumeSlow => Class::Warning,
            Self::SecretNotFound
            | Self::SecretKeyMissing
            | Self::SecretKeyInvalid
            | Self::ConfigMapNotFound
            | Self::NoDefaultStorageClass
            | Self::StorageClassNotFound
            | Self::ProvisioningFailed
            | Self::VolumeShared
            | Self::ExportNotFound
            | Self::MountAccessDenied
            | Self::NfsServerUnreachable
            | Self::FailedMount
            | Self::VolumeOwnerMismatch
            | Self::VolumeNotWritable
            | Self::VolumeMountedSoft
            | Self::VolumeHalfInitialized
            | Self::VersionMismatch
            | Self::DiskFull
            | Self::Unschedulable
            | Self::InsufficientResources
            | Self::UntoleratedTaint
            | Self::NodeNotReady
            | Self::ImageNotFound
            | Self::ImagePullUnauthorized
            | Self::InvalidImageName
            | Self::ErrImageNeverPull
            | Self::ImageArchitectureMismatch
            | Self::ImagePullBackOff
            | Self::ContainerCommandNotFound
            | Self::CreateContainerError
            | Self::CrashLoopBackOff
            | Self::OOMKilled
            | Self::ProbeFailed
            | Self::StuckTerminating
            | Self::ProgressDeadlineExceeded
            | Self::DatabaseUnreachable
            | Self::DatabaseRecovering
            | Self::AuthenticationFailed
            | Self::TooManyConnections
            | Self::MigrationFailed
            | Self::IngressClassNotFound
            | Self::NoDefaultIngressClass
            | Self::MultipleDefaultIngressClasses
            | Self::TlsSecretNotFound
            | Self::HostConflict
            | Self::NameConflict
            | Self::QuotaExceeded
            | Self::LimitRangeViolated
            | Self::PodSecurityViolated
            | Self::ApplyRejected
            | Self::SpecInvalid => Class::Problem,
        }
    }
}
