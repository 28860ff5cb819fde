//! Of which reason there is a capture, and why not of the others. A new reason does not compile until it is decided.

use todostack_crds::Reason;

/// What is known of a reason from a cluster.
pub(super) enum Decision {
    /// At least one file has it.
    Captured,
    /// It tells of no trouble.
    NoCause,
    /// It cannot be had as the cause in `Ready` on the local cluster, for this reason.
    NotMade(&'static str),
}

#[expect(clippy::too_many_lines, reason = "a line for each reason")]
pub(super) fn decision(reason: Reason) -> Decision {
    match reason {
        Reason::AsExpected
        | Reason::NotNeeded
        | Reason::Paused
        | Reason::NotObserved
        | Reason::Progressing
        | Reason::WaitingForDependency => Decision::NoCause,
        Reason::TrailingNewline => Decision::NotMade("the stack is Ready: CredentialsValid says it"),
        Reason::VolumeSlow => Decision::NotMade("the stack is Ready: StorageReady says it"),
        Reason::SpecInvalid => Decision::NotMade("the API server lets no such stack in"),
        Reason::SecretNotFound
        | Reason::SecretKeyMissing
        | Reason::SecretKeyInvalid
        | Reason::ConfigMapNotFound
        | Reason::NoDefaultStorageClass
        | Reason::StorageClassNotFound
        | Reason::VolumePending
        | Reason::ProvisioningFailed
        | Reason::VolumeShared
        | Reason::ExportNotFound
        | Reason::MountAccessDenied
        | Reason::NfsServerUnreachable
        | Reason::FailedMount
        | Reason::VolumeOwnerMismatch
        | Reason::VolumeNotWritable
        | Reason::VolumeMountedSoft
        | Reason::VolumeHalfInitialized
        | Reason::VersionMismatch
        | Reason::DiskFull
        | Reason::Unschedulable
        | Reason::InsufficientResources
        | Reason::UntoleratedTaint
        | Reason::NodeNotReady
        | Reason::ImageNotFound
        | Reason::ImagePullUnauthorized
        | Reason::InvalidImageName
        | Reason::ErrImageNeverPull
        | Reason::ImageArchitectureMismatch
        | Reason::ImagePullBackOff
        | Reason::ContainerCommandNotFound
        | Reason::CreateContainerError
        | Reason::CrashLoopBackOff
        | Reason::OOMKilled
        | Reason::ProbeFailed
        | Reason::StuckTerminating
        | Reason::ProgressDeadlineExceeded
        | Reason::DatabaseRecovering
        | Reason::AuthenticationFailed
        | Reason::DatabaseUnreachable
        | Reason::TooManyConnections
        | Reason::MigrationFailed
        | Reason::IngressClassNotFound
        | Reason::NoDefaultIngressClass
        | Reason::MultipleDefaultIngressClasses
        | Reason::TlsSecretNotFound
        | Reason::HostConflict
        | Reason::AddressPending
        | Reason::NameConflict
        | Reason::QuotaExceeded
        | Reason::LimitRangeViolated
        | Reason::PodSecurityViolated
        | Reason::ApplyRejected => Decision::Captured,
    }
}
