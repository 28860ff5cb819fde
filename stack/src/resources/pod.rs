//! What all pods of a stack share: the Pod Security Standard `restricted`, and how credentials reach a
//! container.

use k8s_openapi::api::core::v1::{
    Capabilities, EmptyDirVolumeSource, EnvVar, EnvVarSource, PodSecurityContext, SeccompProfile,
    SecretKeySelector, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
};

use super::login_secret;

/// uid and gid of the API: the `nonroot` user of distroless images.
pub(super) const API_UID: i64 = 65532;

/// A non-root user without privileges.
pub(super) fn security(uid: i64) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(uid),
        run_as_group: Some(uid),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

/// The same for a pod whose volume comes from a StorageClass: a newly formatted disk belongs to root, and
/// only the kubelet can change that. OnRootMismatch, because Postgres rejects a data directory that its group
/// can write. An NFS export keeps its owner: the kubelet ignores fsGroup there.
pub(super) fn security_with_volume(uid: i64) -> PodSecurityContext {
    PodSecurityContext {
        fs_group: Some(uid),
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        ..security(uid)
    }
}

/// No capabilities, no privilege escalation, and writes to volumes only.
pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

/// When a container fails, the last lines of its log become its termination message, which the operator may
/// read.
pub(super) fn message_policy() -> String {
    "FallbackToLogsOnError".to_owned()
}

/// An empty directory that exists as long as the pod.
pub(super) fn scratch(name: &str) -> Volume {
    Volume { name: name.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

/// A Secret as files, readable by the pod's user alone.
pub(super) fn secret_files(name: &str, secret: String) -> Volume {
    let source =
        SecretVolumeSource { secret_name: Some(secret), default_mode: Some(0o444), ..Default::default() };
    Volume { name: name.to_owned(), secret: Some(source), ..Volume::default() }
}

/// A volume in a container.
pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

/// A volume in a container that it cannot write.
pub(super) fn mount_read_only(name: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..mount(name, path) }
}

pub(super) fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), ..EnvVar::default() }
}

/// A variable from a key of a Secret.
fn from_secret(name: &str, secret: &str, key: &str, optional: bool) -> EnvVar {
    let selector = SecretKeySelector {
        name: secret.to_owned(),
        key: key.to_owned(),
        optional: optional.then_some(true),
    };
    let source = EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value_from: Some(source), ..EnvVar::default() }
}

/// The variables that every Postgres client reads, from a managed Secret: no password is part of a URL, so
/// none needs escaping.
pub(super) fn login(secret: &str) -> Vec<EnvVar> {
    vec![
        from_secret("PGHOST", secret, "host", false),
        from_secret("PGPORT", secret, "port", false),
        from_secret("PGDATABASE", secret, "dbname", false),
        from_secret("PGUSER", secret, "username", false),
        from_secret("PGPASSWORD", secret, "password", false),
        from_secret("PGSSLMODE", secret, "sslmode", true),
        // The API's library reads certificates from the variable itself; libpq, for which it is a file, gets
        // none.
        from_secret("PGSSLROOTCERT", secret, login_secret::ROOT_CERTIFICATES, true),
    ]
}
