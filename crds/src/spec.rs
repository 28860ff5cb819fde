//! The kind `TodoStack`: the root of its spec, and the rules that span several parts. The fields of a part
//! are in a file of their own.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::ApiSpec, database::DatabaseSpec, exposure::ExposureSpec, page::PageSpec, rules,
    status::TodoStackStatus,
};

/// Desired state of the todo service. All fields are optional: `spec: {}` runs Postgres on a volume of the
/// default StorageClass and the API with two replicas.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "todostack.dev",
    version = "v1alpha1",
    kind = "TodoStack",
    plural = "todostacks",
    shortname = "ts",
    category = "todo",
    namespaced,
    status = "TodoStackStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "TodoStack is a todo service: a Postgres or SQLite database, its credentials and schema, the API \
           server, and the Service and Ingress through which clients reach it.",
    scale(
        spec_replicas_path = ".spec.api.replicas",
        status_replicas_path = ".status.api.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "API", type_ = "string", json_path = ".status.api.ready"),
    printcolumn(name = "DB", type_ = "string", json_path = ".status.database.version"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Storage", type_ = "string", json_path = ".status.storage.claim", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    validation = Rule::new(rules::NAME).message(rules::NAME_MESSAGE),
    validation = Rule::new(rules::SIZE_DOES_NOT_SHRINK).message(rules::SIZE_DOES_NOT_SHRINK_MESSAGE),
    validation = Rule::new(rules::IMMUTABLE_VERSION).message(rules::IMMUTABLE_VERSION_MESSAGE),
    validation = Rule::new(rules::IMMUTABLE_USER).message(rules::IMMUTABLE_USER_MESSAGE)
)]
#[x_kube(
    validation = Rule::new(rules::IMMUTABLE_DATABASE_KIND).message(rules::IMMUTABLE_DATABASE_KIND_MESSAGE),
    validation = Rule::new(rules::IMMUTABLE_STORAGE_KIND).message(rules::IMMUTABLE_STORAGE_KIND_MESSAGE),
    validation = Rule::new(rules::IMMUTABLE_STORAGE_CLASS).message(rules::IMMUTABLE_STORAGE_CLASS_MESSAGE),
    validation = Rule::new(rules::SQLITE_HAS_ONE_REPLICA).message(rules::SQLITE_HAS_ONE_REPLICA_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct TodoStackSpec {
    /// If true, the operator makes no changes to this stack: pods keep running, the status is still updated,
    /// and changes of the spec are applied when it is false again. A paused stack can be deleted. Defaults to
    /// false.
    #[serde(default)]
    pub paused: bool,

    /// What happens to the data and the credentials when the stack is deleted. `Retain` keeps the
    /// PersistentVolumeClaim, its volume and the Secrets; a new stack of the same name reuses them. `Delete`
    /// deletes them with the stack. The files on an NFS export remain in both cases, because Kubernetes
    /// cannot delete them. An external database is never deleted. Can be changed at any time. Defaults to
    /// `Retain`.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// The API server: image, replicas, resources, logs, CORS, rate limit and authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiSpec>,

    /// Where the todos are stored: at most one of `postgres`, `external` and `sqlite`. Defaults to
    /// `postgres`. The kind of database is immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseSpec>,

    /// How clients reach the API: host name, Ingress and type of the Service. Defaults to a Service of type
    /// ClusterIP, which is reachable inside the cluster only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureSpec>,

    /// The page that the API serves to browsers. It is on by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageSpec>,
}

/// What happens to the data and the credentials when the stack is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// The PersistentVolumeClaim, its volume and the Secrets are retained for a new stack of the same name.
    #[default]
    Retain,
    /// The PersistentVolumeClaim, its volume and the Secrets are deleted with the stack.
    Delete,
}

#[cfg(test)]
mod tests;
