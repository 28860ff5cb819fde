//! Reasons of `.status.conditions`. When each is given is decided in `stack/src/conditions/` and
//! `stack/src/diagnose/`.

use strum::{EnumIter, EnumMessage, IntoEnumIterator as _, IntoStaticStr};

pub use self::class::Class;

mod class;

/// Why a condition has its status: one identifier, the same in conditions, Events and metrics. The list is
/// closed, so that alerts and scripts can rely on it. The order matters: it decides which of two findings on
/// one part comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumMessage, IntoStaticStr)]
pub enum Reason {
    /// The part works as the spec describes.
    AsExpected,
    /// The stack does not need this part, such as a database server with SQLite.
    NotNeeded,
    /// `spec.paused` is true, so the operator makes no changes.
    Paused,
    /// The operator has not reported this condition yet, because it is not running or does not watch the
    /// namespace.
    NotObserved,
    /// A managed resource was created or changed, and it is not ready yet.
    Progressing,
    /// The part waits for another part, which is not ready.
    WaitingForDependency,
    /// A new version or other settings of the operator would restart pods of the stack. They go on serving
    /// until other stacks have restarted theirs, or until the maintenance window begins.
    UpgradePending,

    /// A Secret that the spec references or a container needs does not exist.
    SecretNotFound,
    /// A Secret lacks a required key.
    SecretKeyMissing,
    /// A key of a Secret has an invalid value: it is empty, not UTF-8, has a control character, or is a
    /// password, username, host, port or `sslmode` that Postgres or its client does not accept.
    SecretKeyInvalid,
    /// Warning: a value of a Secret ends with a newline, which is ignored.
    TrailingNewline,
    /// A ConfigMap that the spec references does not exist.
    ConfigMapNotFound,
    /// The ConfigMap with the certificate authority of the JWKS has no PEM certificate in its key `ca.crt`.
    JwksCaInvalid,

    /// The volume is not provisioned: the spec names neither a StorageClass nor an NFS export, and the
    /// cluster has no default StorageClass.
    NoDefaultStorageClass,
    /// The volume is not provisioned: the StorageClass that the spec names does not exist.
    StorageClassNotFound,
    /// The volume is not provisioned: the provisioner of the StorageClass failed or does not respond.
    ProvisioningFailed,
    /// The volume that the stack has is not the one that the spec names: another NFS export or StorageClass.
    VolumeMismatch,
    /// The PersistentVolume of the data was deleted (phase `Lost` of its claim), or the volume is empty where
    /// a database was.
    VolumeLost,
    /// The PersistentVolumeClaim is being deleted: its volume, and with it the data, may follow when the pod
    /// stops.
    VolumeTerminating,
    /// Warning: the PersistentVolume would be deleted with its claim, although `deletionPolicy` is `Retain`,
    /// because the API server does not let the operator change its reclaim policy.
    VolumeNotRetained,
    /// Warning: the spec asks for a larger volume, and the StorageClass does not have `allowVolumeExpansion`.
    VolumeCannotGrow,
    /// Warning: the volume did not grow to the size that the spec asks for.
    ResizeFailed,
    /// Warning: the SQLite file is on a network file system, such as NFS, where its locks are not safe.
    NetworkFileSystem,
    /// The PersistentVolumeClaim is not bound yet.
    VolumePending,
    /// The administrator does not allow the NFS export to stacks of the namespace (chart value
    /// `nfs.allowed`).
    ExportNotAllowed,
    /// The operator has no permissions outside of its namespaces (chart value `rbac.clusterRole`), and the
    /// volume needs one: for the PersistentVolume of an NFS export. Or, as a warning, for the StorageClass of
    /// a volume that is to grow.
    ClusterAccessNeeded,
    /// Another TodoStack, or a PersistentVolumeClaim that one left, uses the same NFS export.
    VolumeShared,
    /// The NFS volume cannot be mounted: the server has no such directory (`No such file or directory`).
    ExportNotFound,
    /// The NFS volume cannot be mounted: the server denies the node access (`access denied by server`).
    MountAccessDenied,
    /// The NFS server does not respond: the volume cannot be mounted (`Connection refused`, `timed out`), or
    /// reads and writes wait.
    NfsServerUnreachable,
    /// The kubelet cannot mount the volume, for a reason other than the three above.
    FailedMount,
    /// The directory of the volume is not owned by the user of Postgres (`runAsUser`), or the NFS export
    /// maps that user to another (`all_squash`).
    VolumeOwnerMismatch,
    /// The volume is read-only or not writable (`Read-only file system`).
    VolumeNotWritable,
    /// The NFS volume is mounted `soft`, so a slow server causes I/O errors and data loss.
    VolumeMountedSoft,
    /// The volume cannot be locked against a second server: it is mounted with `nolock` or `local_lock`, or
    /// its server has no locks (`No locks available`).
    VolumeNotLockable,
    /// Another server holds the lock on the volume: one that is still stopping, that of another stack with
    /// the same export, or one on a node that is lost.
    VolumeInUse,
    /// Warning: the volume takes long to persist a write (fsync), and each commit waits for one.
    VolumeSlow,
    /// The data directory is incomplete: an earlier initialization of Postgres was interrupted.
    VolumeHalfInitialized,
    /// The volume contains data of another major version of Postgres than the spec asks for, or in another
    /// directory, or the image is of another major version.
    VersionMismatch,
    /// The volume contains another database than that of the stack: it has another system identifier.
    VolumeReplaced,
    /// The volume is full (`No space left on device`, `Disk quota exceeded`).
    DiskFull,

    /// A pod is unschedulable, for a reason other than the next two, such as a node selector that no node
    /// matches.
    Unschedulable,
    /// A pod is unschedulable: no node has the CPU or memory that it requests (`Insufficient cpu`,
    /// `Insufficient memory`).
    InsufficientResources,
    /// A pod is unschedulable: it does not tolerate a taint of the nodes (`untolerated taint`).
    UntoleratedTaint,
    /// The node of a pod is not ready.
    NodeNotReady,

    /// An image cannot be pulled: it does not exist in the registry (`not found`, `manifest unknown`).
    ImageNotFound,
    /// An image cannot be pulled: the registry denied access (`unauthorized`, `access denied`).
    ImagePullUnauthorized,
    /// An image cannot be pulled: its name is invalid.
    InvalidImageName,
    /// An image cannot be pulled: imagePullPolicy is `Never`, and the node does not have the image.
    ErrImageNeverPull,
    /// An image is built for another architecture than the node's (`exec format error`).
    ImageArchitectureMismatch,
    /// An image cannot be pulled, for a reason other than those above, such as a registry that the node
    /// cannot reach.
    ImagePullBackOff,

    /// A container cannot start: its command does not exist in the image (`executable file not found`).
    ContainerCommandNotFound,
    /// The image of Postgres does not know the user that the server runs as: `initdb` fails without an entry
    /// in /etc/passwd (`could not look up effective user ID`).
    ImageUserMismatch,
    /// A container or the sandbox of a pod cannot be created, for another reason.
    CreateContainerError,
    /// A container is crash-looping: it exits with an error each time it is restarted.
    CrashLoopBackOff,
    /// A container was OOM-killed: it exceeded its memory limit.
    OOMKilled,
    /// An API pod starts and has not read the keys of the tokens' issuer: its JWKS cannot be fetched or has
    /// no usable key.
    JwksUnavailable,
    /// A container is running and not ready: its probe fails.
    ProbeFailed,
    /// A pod is stuck terminating: its node does not stop it.
    StuckTerminating,
    /// The rollout of the API is stuck: new pods did not become ready before the progress deadline.
    ProgressDeadlineExceeded,

    /// An init script failed, so the database is not initialized.
    InitScriptFailed,
    /// The database server cannot be reached (`Connection refused`, unknown host name, timeout).
    DatabaseUnreachable,
    /// The database server is in recovery: after a crash, it accepts no connections until it has replayed its
    /// write-ahead log.
    DatabaseRecovering,
    /// The database server rejected the credentials (`password authentication failed`, `no pg_hba.conf
    /// entry`).
    AuthenticationFailed,
    /// The database server has no free connection (`too many clients already`).
    TooManyConnections,
    /// The connection pooler in front of the external database rejects what the API needs: start-up options
    /// (`unsupported startup parameter`), or prepared statements (`pool_mode = transaction`).
    PoolerIncompatible,
    /// The migration of the schema failed.
    MigrationFailed,

    /// Warning: the database allows fewer connections than the API pods need to serve at full speed.
    TooFewConnections,
    /// Warning: the annotation `todostack.dev/maintenance-window` is not of the form
    /// `Sat,Sun 02:00-04:00 UTC`, so upgrades of the operator do not restart pods of the stack.
    MaintenanceWindowInvalid,
    /// No API pod is desired, because `spec.api.replicas` is 0.
    ScaledToZero,

    /// The IngressClass that the spec names does not exist.
    IngressClassNotFound,
    /// The spec names no IngressClass, and the cluster has no default IngressClass.
    NoDefaultIngressClass,
    /// The spec names no IngressClass, and the cluster has more than one default IngressClass.
    MultipleDefaultIngressClasses,
    /// The Secret with the TLS certificate does not exist.
    TlsSecretNotFound,
    /// The Secret with the TLS certificate is unusable: a key is missing, or the certificate is for another
    /// host, expired or not readable.
    TlsSecretInvalid,
    /// Warning: the TLS certificate expires within 7 days.
    TlsCertificateExpiring,
    /// The administrator does not allow the host to stacks of the namespace (chart value
    /// `exposure.allowedHosts`).
    HostNotAllowed,
    /// Another TodoStack, which is older, has the same host name.
    HostConflict,
    /// The Ingress or the LoadBalancer Service has no address yet: its controller has not assigned one.
    AddressPending,
    /// Warning: the controller of the Ingress publishes no address. Clients may reach the API all the same.
    NoIngressAddress,

    /// An object with a name that the stack needs already exists and is not managed by the operator.
    NameConflict,
    /// An object was rejected: it exceeds a ResourceQuota of the namespace (`exceeded quota`).
    QuotaExceeded,
    /// An object was rejected: its resources are outside a LimitRange of the namespace.
    LimitRangeViolated,
    /// A pod was rejected: it violates the Pod Security Standard of the namespace (`violates PodSecurity`).
    PodSecurityViolated,
    /// An object was rejected by the API server or an admission webhook, for another reason.
    ApplyRejected,
    /// Warning: another controller changes a field of an object whenever the operator has corrected it, so
    /// the operator corrects it rarely.
    FieldConflict,
    /// An object could not be written: an admission webhook or the API server did not answer (`failed calling
    /// webhook`).
    ApplyFailed,
    /// The stack was not reconciled: the API server did not answer, or denied the operator an object that it
    /// has to read.
    ObserveFailed,
    /// The object cannot be read as a `TodoStack`: the CRD does not match the version of the operator.
    SpecInvalid,
    /// Event only: another installation of the operator manages the stack (`status.operator`), so the one
    /// that emits this Event writes nothing.
    OtherOperator,
}

impl Reason {
    /// The `reason` of the condition, in `PascalCase`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The inverse of `as_str`. None for text that is not a reason of this version.
    pub fn parse(reason: &str) -> Option<Self> {
        Self::iter().find(|known| known.as_str() == reason)
    }
}
