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
        | Reason::MountRefused
        | Reason::NfsServerUnreachable
        | Reason::MountFailed
        | Reason::VolumeOwnerWrong
        | Reason::VolumeNotWritable
        | Reason::VolumeMountedSoft
        | Reason::VolumeHalfInitialised
        | Reason::VersionMismatch
        | Reason::DiskFull
        | Reason::Unschedulable
        | Reason::InsufficientResources
        | Reason::TaintNotTolerated
        | Reason::NodeNotReady
        | Reason::ImageNotFound
        | Reason::ImagePullUnauthorized
        | Reason::ImageNameInvalid
        | Reason::ImageNeverPulled
        | Reason::ImageArchitectureWrong
        | Reason::ImagePullFailed
        | Reason::ContainerCommandInvalid
        | Reason::ContainerConfigInvalid
        | Reason::CrashLoop
        | Reason::OutOfMemory
        | Reason::ProbeFailing
        | Reason::TerminatingTooLong
        | Reason::RolloutStuck
        | Reason::DatabaseRecovering
        | Reason::LoginRefused
        | Reason::DatabaseUnreachable
        | Reason::TooManyConnections
        | Reason::MigrationFailed
        | Reason::IngressClassNotFound
        | Reason::NoDefaultIngressClass
        | Reason::SeveralDefaultIngressClasses
        | Reason::TlsSecretNotFound
        | Reason::HostTaken
        | Reason::AddressPending
        | Reason::NameTaken
        | Reason::QuotaExceeded
        | Reason::LimitRangeViolated
        | Reason::PodSecurityViolated
        | Reason::ApplyRefused => Decision::Captured,
    }
}
