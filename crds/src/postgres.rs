//! `spec.database.postgres`: version, settings and scheduling of the server that the operator runs. Its
//! volume is in `storage.rs`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pods::PodSettings,
    reference::{ConfigMapReference, SecretReference},
    rules,
    storage::PostgresStorage,
};

/// Default of `spec.database.postgres.runAsUser`: the user of the official images that are based on Debian.
pub const DEFAULT_USER: i64 = 999;

/// A Postgres server that the operator runs as a StatefulSet with one pod.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(validation = Rule::new(rules::PARAMETERS_ARE_SAFE).message(rules::PARAMETERS_ARE_SAFE_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct PostgresSpec {
    /// Major version of Postgres: "14", "15", "16", "17" or "18". It cannot change once the data directory is
    /// initialized, because Postgres cannot read that of another major version. Defaults to "18".
    #[serde(default)]
    pub version: Version,

    /// Container image of the server. It must have the major version of `version` and work like the official
    /// image: docker-entrypoint.sh and the POSTGRES_* variables. A change restarts the database. Defaults to
    /// `docker.io/library/postgres:<version>`, unless the operator is configured with another repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// uid and gid of the server, and so of its files: those of the user `postgres` in the image. The
    /// official images have 999, or 70 if they are based on Alpine. Immutable once the database is
    /// initialized. Defaults to 999.
    #[serde(default = "default_user")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub run_as_user: i64,

    /// Secret in the namespace of the stack with the keys `username` and `password`, with which the API logs
    /// in to the database. The operator creates the role. After a change of the password, it alters the role
    /// and then replaces the API pods. The password can contain printable ASCII and the letters of most
    /// scripts, but no emoji (RFC 4013). If unset, the operator generates the credentials once and stores
    /// them in the Secret `<stack>-db-app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<SecretReference>,

    /// When the operator replaces the credentials that it generated. Without effect with `credentialsSecret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,

    /// The volume of the server: its size, and an NFS export or a StorageClass. Defaults to 1Gi from the
    /// cluster's default StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<PostgresStorage>,

    /// Settings of the server as in postgresql.conf, such as `max_connections: "200"`. At most 100. A change
    /// restarts the database. Not allowed are settings on which the operator relies (data_directory,
    /// listen_addresses, port, ...) or which risk the data (fsync, full_page_writes).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub parameters: BTreeMap<String, String>,

    /// SQL files and shell scripts that run once, as the superuser in the database `todo`, when the server
    /// initializes an empty volume. A later change has no effect on an existing database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_scripts: Option<InitScripts>,

    /// CPU and memory requests and limits of the server. A change restarts the database. Defaults to requests
    /// of 50m CPU and 256Mi memory, without limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,

    /// Settings of the database pod.
    #[serde(flatten)]
    pub pods: PodSettings,
}

/// Major version of Postgres. What the image of each declares is in
/// `stack/src/resources/postgres_contract.rs`, which does not compile without one of them.
#[derive(
    Serialize,
    Deserialize,
    JsonSchema,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumIter,
)]
pub enum Version {
    #[serde(rename = "14")]
    #[strum(serialize = "14")]
    V14,
    #[serde(rename = "15")]
    #[strum(serialize = "15")]
    V15,
    #[serde(rename = "16")]
    #[strum(serialize = "16")]
    V16,
    #[serde(rename = "17")]
    #[strum(serialize = "17")]
    V17,
    #[default]
    #[serde(rename = "18")]
    #[strum(serialize = "18")]
    V18,
}

/// When generated credentials are replaced.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RotationSpec {
    /// Hours between two rotations, counted from the creation of the stack, such as `720h`. The annotation
    /// `todostack.dev/rotate` with any new value starts one at once.
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,4}h(0m0s)?$"))]
    pub interval: String,
}

/// Files for `/docker-entrypoint-initdb.d` of the official image.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InitScripts {
    /// ConfigMap in the namespace of the stack. Its keys are file names that end in `.sql` or `.sh`; the
    /// files run in alphabetical order. The operator does not start the database while the ConfigMap is
    /// missing.
    pub config_map: ConfigMapReference,
}

impl Default for PostgresSpec {
    fn default() -> Self {
        Self {
            version: Version::default(),
            image: None,
            run_as_user: DEFAULT_USER,
            credentials_secret: None,
            rotation: None,
            storage: None,
            parameters: BTreeMap::new(),
            init_scripts: None,
            resources: None,
            pods: PodSettings::default(),
        }
    }
}

fn default_user() -> i64 {
    DEFAULT_USER
}
