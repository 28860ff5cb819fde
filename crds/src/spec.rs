//! The root of a `TodoStack` and the rules that reach across its parts; each part's fields live in its own file.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{api::ApiSpec, database::DatabaseSpec, exposure::ExposureSpec, rules, status::TodoStackStatus};

/// What the todo service should be. Every field is optional: `spec: {}` works where the cluster has a
/// default StorageClass.
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
    doc = "A todo service: Postgres, its credentials and schema, the API in front of it, and how people reach it.",
    scale(
        spec_replicas_path = ".spec.api.replicas",
        status_replicas_path = ".status.api.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
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
    validation = Rule::new(rules::NAME).message(rules::NAME_MESSAGE)
)]
#[x_kube(
    validation = Rule::new(rules::DATABASE_KIND_STAYS).message(rules::DATABASE_KIND_STAYS_MESSAGE),
    validation = Rule::new(rules::STORAGE_KIND_STAYS).message(rules::STORAGE_KIND_STAYS_MESSAGE),
    validation = Rule::new(rules::SQLITE_HAS_ONE_REPLICA).message(rules::SQLITE_HAS_ONE_REPLICA_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct TodoStackSpec {
    /// Stops the operator from changing anything of this stack. What runs goes on running.
    #[serde(default)]
    pub paused: bool,

    /// What becomes of the data and the credentials when the stack is deleted.
    /// `Retain` keeps the claim, its volume and the Secrets: a stack of the same name takes them up again.
    /// `Delete` removes them. (The files on an NFS export stay in either case: Kubernetes cannot delete them.)
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// The API server: image, replicas, resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiSpec>,

    /// Where the todos are kept: one of `postgres` (the default), `external` or `sqlite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseSpec>,

    /// How people reach the API: host name, Ingress, Service type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<ExposureSpec>,
}

/// What becomes of data and credentials with the stack.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// Claim, volume and Secrets stay, and are taken up again by a stack of the same name.
    #[default]
    Retain,
    /// Claim, volume and Secrets go with the stack.
    Delete,
}

#[cfg(test)]
mod tests;
