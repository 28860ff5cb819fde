//! `spec.database`: the kind of database, and the external one. `postgres.rs` and `sqlite.rs` have the other
//! two.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{postgres::PostgresSpec, reference::SecretReference, rules, sqlite::SqliteSpec};

/// Where the todos are stored. Without any of the three, Postgres with its defaults.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new(rules::ONE_DATABASE).message(rules::ONE_DATABASE_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseSpec {
    /// A Postgres server that the operator runs in the cluster: one pod with one volume. This is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresSpec>,

    /// An existing Postgres database that the operator does not manage. The operator only migrates its
    /// schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalSpec>,

    /// A SQLite file on a volume of the API pod: no database pod, and at most one API replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<SqliteSpec>,
}

/// An existing Postgres database that the operator does not manage.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExternalSpec {
    /// Secret in the namespace of the stack that has the connection: the keys `host`, `dbname` (or
    /// `database`), `username` (or `user`) and `password`, and optionally `port` (defaults to 5432) and
    /// `sslmode` (as in libpq) and `ca.crt` (or `sslrootcert`: PEM certificates of a private authority, for
    /// `verify-ca` and `verify-full`). Other keys are ignored. The Secret `<cluster>-app` of a CloudNativePG
    /// cluster can be used as it is. The user must be allowed to create tables in the database. The password
    /// can contain printable ASCII and the letters of most scripts, but no emoji (RFC 4013). After a change
    /// of the Secret, the operator runs the migration and replaces the API pods. Todos are not copied to
    /// another database.
    pub secret: SecretReference,
}
