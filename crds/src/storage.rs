//! `spec.database.postgres.storage`: the volume of Postgres, from an NFS export or a StorageClass. The volume
//! of SQLite is in `sqlite.rs`.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// Default of `size`, for Postgres and SQLite.
pub const DEFAULT_SIZE: &str = "1Gi";

/// The volume of Postgres. Without `nfs` and `storageClassName`, it is of the cluster's default StorageClass.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = Rule::new(rules::ONE_STORAGE).message(rules::ONE_STORAGE_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct PostgresStorage {
    /// Size of the PersistentVolumeClaim: a whole number with a unit such as `Mi`, `Gi` or `G`; bytes without
    /// one. It can grow if the StorageClass has allowVolumeExpansion, and go back to what the volume has
    /// (`status.storage.size`). With `nfs`, the NFS server does not enforce it, and a claim that is bound
    /// keeps its size. Defaults to 1Gi.
    #[serde(default = "default_size")]
    #[schemars(length(max = 18), regex(pattern = r"^[1-9][0-9]{0,15}(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub size: String,

    /// An export of an NFS server, for which the operator creates a PersistentVolume. On the server, the
    /// directory must be owned by uid and gid 999, or those of `runAsUser`, with mode 0700: `chown 999:999
    /// <path> && chmod 700 <path>`.
    /// Cannot be combined with `storageClassName`. Cannot be added or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfs: Option<NfsExport>,

    /// Name of the StorageClass that provisions the volume. Cannot be combined with `nfs`. Immutable.
    /// Defaults to the cluster's default StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

/// An export of an NFS server.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::IMMUTABLE_NFS).message(rules::IMMUTABLE_NFS_MESSAGE),
    validation = Rule::new(rules::NFS_PATH_IS_NORMAL).message(rules::NFS_PATH_IS_NORMAL_MESSAGE),
    validation = Rule::new(rules::NFS_OPTIONS_ARE_SAFE).message(rules::NFS_OPTIONS_ARE_SAFE_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct NfsExport {
    /// Host name or IP address of the NFS server. The nodes connect to it, not the pods, so a name must
    /// resolve on the nodes; the name of a Service usually does not. Immutable.
    #[schemars(length(max = 253), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$"))]
    pub server: String,

    /// Absolute path of the exported directory. Each stack needs its own directory: two servers on one
    /// directory destroy the data. Immutable.
    // Whitespace and commas would separate options of the mount.
    #[schemars(length(max = 1024), regex(pattern = r"^/[^\s,]*$"))]
    pub path: String,

    /// Mount options (see nfs(5)), one per entry. The list replaces the default. A change restarts the
    /// database pod. Options that lose data or prevent a start are rejected: soft, softerr, softreval,
    /// nolock, local_lock and ro. Defaults to hard, nfsvers=4.1, noatime, timeo=600, retrans=2.
    #[serde(default = "default_mount_options")]
    #[schemars(length(max = 32), inner(length(max = 64), regex(pattern = r"^[A-Za-z0-9_=.:-]+$")))]
    pub mount_options: Vec<String>,
}

impl Default for PostgresStorage {
    fn default() -> Self {
        Self { size: default_size(), nfs: None, storage_class_name: None }
    }
}

pub(crate) fn default_size() -> String {
    DEFAULT_SIZE.to_owned()
}

// PostgreSQL requires `hard` (manual, 18.2.2.1). NFS 4.1 has sessions, so that locks survive a restart of the
// server without lockd. `timeo` and `retrans` are the defaults of nfs(5) for TCP, set explicitly because
// /etc/nfsmount.conf of a node can change the defaults.
fn default_mount_options() -> Vec<String> {
    ["hard", "nfsvers=4.1", "noatime", "timeo=600", "retrans=2"].map(str::to_owned).to_vec()
}
