//! Somebody else's database: the one of `examples/external-database`, without its stack, and logins for it.

use anyhow::Result;
use serde_json::json;

use crate::{credentials::Login, namespace::Namespace};

/// The owner's password.
pub const OWNER: Login<'_> = Login { username: "shop", password: b"owner-4f1c: it's own" };

/// What is typed into `psql`, and nothing that a shell would read.
const PSQL: [&str; 12] = [
    "exec",
    "deployment/shop-database",
    "--",
    "psql",
    "--host=/var/run/postgresql",
    "--username=shop",
    "--dbname=shop",
    "--no-psqlrc",
    "--tuples-only",
    "--no-align",
    "--set=ON_ERROR_STOP=1",
    "--command",
];

impl Namespace {
    /// Starts the database with its owner's login and further arguments for the server, and waits until it takes
    /// connections.
    ///
    /// # Errors
    /// It does not.
    pub async fn external_database(&self, login: Login<'_>, arguments: &[&str]) -> Result<()> {
        self.kubectl(&["apply", "--filename", "examples/external-database/database.yaml"]).await?;
        self.external_login("shop-database", login).await?;
        if !arguments.is_empty() {
            let arguments: Vec<_> = std::iter::once("postgres").chain(arguments.iter().copied()).collect();
            let container = json!({"name": "postgres", "args": arguments});
            // The pod without the arguments is gone before the one with them begins, so that nobody talks to it.
            let strategy = json!({"type": "Recreate", "rollingUpdate": null});
            let template = json!({"spec": {"containers": [container]}});
            let patch = json!({"spec": {"strategy": strategy, "template": template}}).to_string();
            self.kubectl(&["patch", "deployment", "shop-database", "--patch", &patch]).await?;
        }
        self.kubectl(&["rollout", "status", "deployment/shop-database", "--timeout=120s"]).await.map(drop)
    }

    /// Writes a Secret with a login for it.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn external_login(&self, secret: &str, login: Login<'_>) -> Result<()> {
        let place = [("host", "shop-database"), ("port", "5432"), ("dbname", "shop")];
        self.bring(secret, login, &place).await
    }

    /// Runs a statement there, as its owner.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn external_psql(&self, statement: &str) -> Result<String> {
        self.kubectl(&[&PSQL[..], &[statement]].concat()).await
    }
}
