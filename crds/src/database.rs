//! `spec.database`: which of the three kinds of database; each kind's fields live in a file of their own.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{postgres::PostgresSpec, reference::SecretReference, rules, sqlite::SqliteSpec};

/// Where the todos are kept: one of the three, Postgres when none is given.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new(rules::ONE_DATABASE).message(rules::ONE_DATABASE_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// A Postgres server that the operator runs in the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresSpec>,

    /// A Postgres database that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalSpec>,

    /// A file beside the API server: one replica, no database pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<SqliteSpec>,
}

/// A Postgres database that somebody else runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSpec {
    /// Secret in the stack's namespace with the keys `host`, `port`, `dbname`, `username` and `password`
    /// (a CloudNativePG cluster's `<cluster>-app` Secret has them; `user` is read where `username` is missing).
    /// A password may hold whatever RFC 4013 lets through: all of ASCII and the letters of most writings, but no emoji.
    pub secret: SecretReference,
}
