//! `spec.database.sqlite`: a SQLite file on a volume of the API pod.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::storage::default_size;

/// A SQLite file on a volume of the API pod. The API migrates its schema at start.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SqliteSpec {
    /// The volume of the file. NFS exports are not supported, because SQLite's write-ahead log does not work
    /// on network file systems (sqlite.org/wal.html). Defaults to 1Gi from the cluster's default
    /// StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<SqliteStorage>,
}

/// The volume of the SQLite file.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SqliteStorage {
    /// Size of the PersistentVolumeClaim: a whole number with a unit such as `Mi`, `Gi` or `G`; bytes without
    /// one. It can grow if the StorageClass has allowVolumeExpansion, and go back to what the volume has
    /// (`status.storage.size`). Defaults to 1Gi.
    #[serde(default = "default_size")]
    #[schemars(length(max = 18), regex(pattern = r"^[1-9][0-9]{0,15}(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub size: String,

    /// Name of the StorageClass that provisions the volume. Immutable. Defaults to the cluster's default
    /// StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

impl Default for SqliteStorage {
    fn default() -> Self {
        Self { size: default_size(), storage_class_name: None }
    }
}
