//! `status`: what the operator reports about a stack. Condition types are in `condition.rs`, their reasons in
//! `reason.rs`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Observed state of the todo service. The operator writes it when it changes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TodoStackStatus {
    /// The `metadata.generation` of the spec that this status describes. If it is lower than
    /// `metadata.generation`, the operator has not processed the last change of the spec yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// One entry for each condition type: Ready, CredentialsValid, StorageReady, DatabaseReady,
    /// MigrationsApplied, ApiAvailable, Exposed, Reconciling and Stalled. `Ready` summarizes the others; its
    /// message names the root cause and what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// URL of the todos, such as `http://todos.example.com/todos`. Without a host, it is reachable inside the
    /// cluster only, unless the Service is of type LoadBalancer and has an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// State of the API pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiStatus>,

    /// Label selector of the API pods, for the scale subresource: a HorizontalPodAutoscaler finds the pods
    /// with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Kind, version and host of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseStatus>,

    /// The volume of the data. Absent with an external database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageStatus>,

    /// The last completed migration of the schema. Absent before the first one, and with SQLite, whose schema
    /// the API migrates at start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<MigrationStatus>,

    /// The installation of the operator that manages the stack, by its Lease (`namespace/name`). Another one
    /// writes nothing here as long as that Lease is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 320))]
    pub operator: Option<String>,
}

/// State of the API pods.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiStatus {
    /// Number of API pods, including those that a rollout is going to replace.
    #[serde(default)]
    pub replicas: i32,
    /// Number of API pods that are ready.
    #[serde(default)]
    pub ready_replicas: i32,
    /// Ready and desired API pods, such as `2/2`.
    #[serde(default)]
    pub ready: String,
    /// Container image of the API pods. It differs from the desired image until the migration of that image
    /// is complete.
    #[serde(default)]
    pub image: String,
}

/// Kind, version and host of the database.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// Kind of the database, and for a managed server its major version: `postgres 18`, `external` or
    /// `sqlite`.
    #[serde(default)]
    pub version: String,
    /// Host name of the database server. Absent with SQLite, and while the Secret of an external database is
    /// missing or invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Identity of a managed server's data (`pg_control_system()`). Absent until it is initialized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub system_identifier: Option<String>,
}

/// The volume of the data.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct StorageStatus {
    /// Name of the PersistentVolumeClaim.
    #[serde(default)]
    pub claim: String,
    /// Name of the PersistentVolume. Absent until the PersistentVolumeClaim is bound. If the claim is
    /// deleted, the operator binds the volume to a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Size that the PersistentVolumeClaim is bound with. `spec` can go back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub size: Option<String>,
}

/// The last completed migration. While it is that of the desired image and credentials, no other runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    /// The API image whose migrations were applied last.
    #[serde(default)]
    pub image: String,
    /// Revision of the credentials; `-beside` while an earlier username works, too.
    #[serde(default)]
    pub revision: String,
    /// When it completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// Version of the schema after the migration: the number of the last migration that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<i64>,
}
