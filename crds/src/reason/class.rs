//! What kind of statement each reason is. The reasons themselves are in `reason.rs`.

use super::Reason;

/// What a reason says about the part of the stack whose condition has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The part works as desired.
    Good,
    /// The stack does not need the part, or the stack is paused.
    Inactive,
    /// The part is not ready, and becomes ready without a change by a user.
    Waiting,
    /// The part works, but a user should fix something.
    Warning,
    /// The part does not work, and a user may have to fix something.
    Problem,
}

impl Reason {
    /// The class of the reason. There is no `_` arm, so that a new reason does not compile without a class.
    #[expect(clippy::too_many_lines, reason = "one line per reason")]
    pub fn class(self) -> Class {
        match self {
            Self::AsExpected => Class::Good,
            Self::NotNeeded | Self::Paused | Self::ScaledToZero => Class::Inactive,
            Self::NotObserved
            | Self::Progressing
            | Self::WaitingForDependency
            | Self::UpgradePending
            | Self::VolumePending
            | Self::AddressPending => Class::Waiting,
            Self::TrailingNewline
            | Self::VolumeSlow
            | Self::VolumeNotRetained
            | Self::VolumeCannotGrow
            | Self::ResizeFailed
            | Self::NetworkFileSystem
            | Self::TooFewConnections
            | Self::FieldConflict
            | Self::MaintenanceWindowInvalid
            | Self::TlsCertificateExpiring
            | Self::NoIngressAddress
            | Self::OtherOperator => Class::Warning,
            Self::SecretNotFound
            | Self::SecretKeyMissing
            | Self::SecretKeyInvalid
            | Self::ConfigMapNotFound
            | Self::JwksCaInvalid
            | Self::JwksUnavailable
            | Self::NoDefaultStorageClass
            | Self::StorageClassNotFound
            | Self::ProvisioningFailed
            | Self::VolumeMismatch
            | Self::VolumeLost
            | Self::VolumeTerminating
            | Self::VolumeShared
            | Self::ExportNotAllowed
            | Self::ClusterAccessNeeded
            | Self::ExportNotFound
            | Self::MountAccessDenied
            | Self::NfsServerUnreachable
            | Self::FailedMount
            | Self::VolumeOwnerMismatch
            | Self::VolumeNotWritable
            | Self::VolumeMountedSoft
            | Self::VolumeNotLockable
            | Self::VolumeInUse
            | Self::VolumeHalfInitialized
            | Self::VersionMismatch
            | Self::VolumeReplaced
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
            | Self::ImageUserMismatch
            | Self::CreateContainerError
            | Self::CrashLoopBackOff
            | Self::OOMKilled
            | Self::ProbeFailed
            | Self::StuckTerminating
            | Self::ProgressDeadlineExceeded
            | Self::InitScriptFailed
            | Self::DatabaseUnreachable
            | Self::DatabaseRecovering
            | Self::AuthenticationFailed
            | Self::TooManyConnections
            | Self::MigrationFailed
            | Self::PoolerIncompatible
            | Self::IngressClassNotFound
            | Self::NoDefaultIngressClass
            | Self::MultipleDefaultIngressClasses
            | Self::TlsSecretNotFound
            | Self::TlsSecretInvalid
            | Self::HostConflict
            | Self::HostNotAllowed
            | Self::NameConflict
            | Self::QuotaExceeded
            | Self::LimitRangeViolated
            | Self::PodSecurityViolated
            | Self::ApplyRejected
            | Self::ApplyFailed
            | Self::ObserveFailed
            | Self::SpecInvalid => Class::Problem,
        }
    }
}
