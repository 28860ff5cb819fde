//! `spec.database.sqlite`: a file on a volume beside the one API pod.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{rules, storage::default_size};

/// A SQLite file: one replica of the API, one volume, no database pod.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SqliteSpec {
    /// The volume under the file. There is no `nfs` here: SQLite's write-ahead log needs memory shared on one host
    /// (sqlite.org, "Write-Ahead Logging", and its FAQ warns of file locks on NFS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<SqliteStorage>,
}

/// The volume under the SQLite file.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::SIZE_DOES_NOT_SHRINK).message(rules::SIZE_DOES_NOT_SHRINK_MESSAGE),
    validation = Rule::new(rules::STORAGE_CLASS_STAYS).message(rules::STORAGE_CLASS_STAYS_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct SqliteStorage {
    /// How large the volume is, such as `1Gi`. It can grow where its StorageClass allows it, and never shrinks.
    #[serde(default = "default_size")]
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,15}(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub size: String,

    /// The StorageClass that provides the volume. Default: the cluster's default StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

impl Default for SqliteStorage {
    fn default() -> Self {
        Self { size: default_size(), storage_class_name: None }
    }
}
