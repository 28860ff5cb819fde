//! `spec.database.postgres`: the managed server's version, settings and place; its volume lives in `storage.rs`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference::{ConfigMapReference, SecretReference},
    rules,
    storage::PostgresStorage,
};

/// Major version of a stack that names none.
pub const DEFAULT_VERSION: &str = "18";

/// A Postgres server that the operator runs in the cluster.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(
    validation = Rule::new(rules::VERSION_STAYS).message(rules::VERSION_STAYS_MESSAGE),
    validation = Rule::new(rules::PARAMETERS_ARE_FREE).message(rules::PARAMETERS_ARE_FREE_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct PostgresSpec {
    /// Major version: 14, 15, 16, 17 or 18.
    #[serde(default = "default_version")]
    #[schemars(regex(pattern = r"^1[4-8]$"))]
    pub version: String,

    /// Image of the server; it has to keep the contract of the official one (POSTGRES_* variables, uid 999).
    /// Default: docker.io/library/postgres with the version as its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// Secret in the stack's namespace with the keys `username` and `password` of the application's role.
    /// A password may hold whatever RFC 4013 lets through: all of ASCII and the letters of most writings, but no emoji.
    /// Default: the operator generates them once, into the Secret `<stack>-db-app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<SecretReference>,

    /// The volume: its size, and an NFS export or a StorageClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<PostgresStorage>,

    /// Server settings as in postgresql.conf, such as `max_connections: "200"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub parameters: BTreeMap<String, String>,

    /// SQL files that run once, in the application's database while it is empty, as the superuser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_scripts: Option<InitScripts>,

    /// CPU and memory of the server. Default: requests of 50m and 128Mi, no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,

    /// Labels that the server's node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,

    /// Taints that the server's pod tolerates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
}

/// SQL files that run once, on an empty database.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InitScripts {
    /// ConfigMap whose keys are file names ending in `.sql` or `.sh`, run in alphabetical order.
    pub config_map: ConfigMapReference,
}

impl Default for PostgresSpec {
    fn default() -> Self {
        Self {
            version: default_version(),
            image: None,
            credentials_secret: None,
            storage: None,
            parameters: BTreeMap::new(),
            init_scripts: None,
            resources: None,
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
        }
    }
}

fn default_version() -> String {
    DEFAULT_VERSION.to_owned()
}
