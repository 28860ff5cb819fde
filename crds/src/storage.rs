//! `spec.database.postgres.storage`: the volume under Postgres, from an NFS export or a StorageClass.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// Size of a volume whose stack names none.
pub const DEFAULT_SIZE: &str = "1Gi";

/// The volume under Postgres. Neither `nfs` nor `storageClassName`: the cluster's default StorageClass.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::ONE_STORAGE).message(rules::ONE_STORAGE_MESSAGE),
    validation = Rule::new(rules::SIZE_DOES_NOT_SHRINK).message(rules::SIZE_DOES_NOT_SHRINK_MESSAGE),
    validation = Rule::new(rules::STORAGE_CLASS_STAYS).message(rules::STORAGE_CLASS_STAYS_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct PostgresStorage {
    /// How large the volume is, such as `1Gi`. It can grow where its StorageClass allows it, and never shrinks.
    #[serde(default = "default_size")]
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,15}(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub size: String,

    /// An export of an NFS server. Its directory must belong to uid and gid 999 with mode 0700:
    /// `chown 999:999 <path> && chmod 700 <path>` on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfs: Option<NfsExport>,

    /// The StorageClass that provides the volume. Default: the cluster's default StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

/// An export of an NFS server.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::NFS_STAYS).message(rules::NFS_STAYS_MESSAGE),
    validation = Rule::new(rules::NFS_OPTIONS_ARE_SAFE).message(rules::NFS_OPTIONS_ARE_SAFE_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct NfsExport {
    /// Host name or address of the NFS server, as the nodes see it.
    #[schemars(length(max = 253), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$"))]
    pub server: String,

    /// Absolute path of the exported directory. One stack to a directory.
    #[schemars(length(max = 1024), regex(pattern = r"^/([^\s,]*[^\s,/])?$"))]
    pub path: String,

    /// Options of the mount, one an entry. Default: hard, nfsvers=4.1, noatime, timeo=600, retrans=2.
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

/// `hard` is PostgreSQL's one firm requirement (18.2.2.1); 4.1 brings sessions, so locks survive a server's restart
/// without lockd; timeo and retrans are the values of nfs(5) for TCP, said so that no distribution changes them.
fn default_mount_options() -> Vec<String> {
    ["hard", "nfsvers=4.1", "noatime", "timeo=600", "retrans=2"].map(str::to_owned).to_vec()
}
