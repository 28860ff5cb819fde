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
    MountRefused,
    /// The NFS server does not answer.
    NfsServerUnreachable,
    /// The kubelet cannot mount the volume, for another cause.
    MountFailed,
    /// The volume's directory does not belong to the server's user.
    VolumeOwnerWrong,
    /// The volume cannot be written.
    VolumeNotWritable,
    /// The volume is mounted so that a slow server becomes an I/O error.
    VolumeMountedSoft,
    /// The volume takes long to keep a write.
    VolumeSlow,
    /// An earlier start was cut off while it prepared the directory.
    VolumeHalfInitialised,
    /// The volume holds data of another major version than the spec's.
    VersionMismatch,
    /// The volume is full.
    DiskFull,

    /// The scheduler finds no node for a pod, for another cause than the next two.
    Unschedulable,
    /// No node has the CPU or memory that a pod asks for.
    InsufficientResources,
    /// The nodes have a taint that a pod does not tolerate.
    TaintNotTolerated,
    /// The node of a pod does not answer.
    NodeNotReady,

    /// The registry has no such image.
    ImageNotFound,
    /// The registry does not give the image to this cluster.
    ImagePullUnauthorized,
    /// The image's name cannot be read.
    ImageNameInvalid,
    /// The node does not have the image and may not pull it.
    ImageNeverPulled,
    /// The image is for another processor.
    ImageArchitectureWrong,
    /// An image cannot be pulled, for another cause.
    ImagePullFailed,

    /// A container's command is not in its image.
    ContainerCommandInvalid,
    /// A container cannot be created, for another cause.
    ContainerConfigInvalid,
    /// A container ends again and again.
    CrashLoop,
    /// A container was ended for using more memory than its limit.
    OutOfMemory,
    /// A container runs and its probe fails.
    ProbeFailing,
    /// A pod does not go.
    TerminatingTooLong,
    /// New pods do not become ready in time.
    RolloutStuck,

    /// The server does not answer.
    DatabaseUnreachable,
    /// The server replays its log after it was cut off.
    DatabaseRecovering,
    /// The server refuses the login.
    LoginRefused,
    /// The server has no connection left.
    TooManyConnections,
    /// The migration failed.
    MigrationFailed,

    /// The IngressClass that the spec names is not there.
    IngressClassNotFound,
    /// No IngressClass is named, and the cluster has no default one.
    NoDefaultIngressClass,
    /// No IngressClass is named, and the cluster has several default ones.
    SeveralDefaultIngressClasses,
    /// The Secret with the certificate is not there.
    TlsSecretNotFound,
    /// Another stack has the same host name.
    HostTaken,
    /// No controller has given the Ingress or Service an address yet.
    AddressPending,

    /// An object of a name that the stack needs belongs to someone else.
    NameTaken,
    /// The namespace's quota is used up.
    QuotaExceeded,
    /// A LimitRange of the namespace does not allow what a container asks for.
    LimitRangeViolated,
    /// Pod Security of the namespace does not allow a pod.
    PodSecurityViolated,
    /// The API server refuses an object, for another cause.
    ApplyRefused,
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
            | Self::MountRefused
            | Self::NfsServerUnreachable
            | Self::MountFailed
            | Self::VolumeOwnerWrong
            | Self::VolumeNotWritable
            | Self::VolumeMountedSoft
            | Self::VolumeHalfInitialised
            | Self::VersionMismatch
            | Self::DiskFull
            | Self::Unschedulable
            | Self::InsufficientResources
            | Self::TaintNotTolerated
            | Self::NodeNotReady
            | Self::ImageNotFound
            | Self::ImagePullUnauthorized
            | Self::ImageNameInvalid
            | Self::ImageNeverPulled
            | Self::ImageArchitectureWrong
            | Self::ImagePullFailed
            | Self::ContainerCommandInvalid
            | Self::ContainerConfigInvalid
            | Self::CrashLoop
            | Self::OutOfMemory
            | Self::ProbeFailing
            | Self::TerminatingTooLong
            | Self::RolloutStuck
            | Self::DatabaseUnreachable
            | Self::DatabaseRecovering
            | Self::LoginRefused
            | Self::TooManyConnections
            | Self::MigrationFailed
            | Self::IngressClassNotFound
            | Self::NoDefaultIngressClass
            | Self::SeveralDefaultIngressClasses
            | Self::TlsSecretNotFound
            | Self::HostTaken
            | Self::NameTaken
            | Self::QuotaExceeded
            | Self::LimitRangeViolated
            | Self::PodSecurityViolated
            | Self::ApplyRefused
            | Self::SpecInvalid => Class::Problem,
        }
    }
}
