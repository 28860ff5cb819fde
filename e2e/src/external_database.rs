//! The database of `examples/external-database`, which the operator does not manage, and Secrets with logins
//! for it.

use anyhow::Result;
use serde_json::json;

use crate::{credentials::Login, namespace::Namespace};

// The database's owner, with a password that a shell or SQL would need to quote.
pub const OWNER: Login<'_> = Login { username: "shop", password: "owner-4f1c: it's own" };

// `psql` without a shell, so that no character of a statement needs quotes.
const PSQL: &str = "exec deployment/shop-database -- psql --host=/var/run/postgresql --username=shop \
                    --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1";

impl Namespace {
    // Starts the database with its owner's login and further arguments for `postgres`, and waits until it
    // accepts connections.
    pub async fn external_database(&self, owner: Login<'_>, arguments: &[&str]) -> Result<()> {
        self.kubectl(&["apply", "--filename", "examples/external-database/database.yaml"]).await?;
        self.apply_external_login("shop-database", owner).await?;
        if !arguments.is_empty() {
            let arguments = [&["postgres"], arguments].concat();
            let container = json!({"name": "postgres", "args": arguments});
            // `Recreate` deletes the pod without the arguments first, so that no test connects to it.
            let strategy = json!({"type": "Recreate", "rollingUpdate": null});
            let template = json!({"spec": {"containers": [container]}});
            let patch = json!({"spec": {"strategy": strategy, "template": template}}).to_string();
            self.kubectl(&["patch", "deployment", "shop-database", "--patch", &patch]).await?;
        }
        self.kubectl(&["rollout", "status", "deployment/shop-database", "--timeout=120s"]).await.map(drop)
    }

    // Applies a Secret for `spec.database.external.secret`.
    pub async fn apply_external_login(&self, secret: &str, login: Login<'_>) -> Result<()> {
        self.apply_external_login_at("shop-database", secret, login).await
    }

    // As [`Self::apply_external_login`], for a server at another host.
    pub async fn apply_external_login_at(&self, host: &str, secret: &str, login: Login<'_>) -> Result<()> {
        let Login { username, password } = login;
        let server = [("host", host), ("port", "5432"), ("dbname", "shop")];
        self.apply_secret(secret, &[&server[..], &[("username", username), ("password", password)]].concat())
            .await
    }

    pub async fn external_psql(&self, statement: &str) -> Result<String> {
        self.external_psql_in("shop", statement).await
    }

    pub async fn external_psql_in(&self, database: &str, statement: &str) -> Result<String> {
        let arguments = ["--dbname", database, "--command", statement];
        self.kubectl(&PSQL.split(' ').chain(arguments).collect::<Vec<_>>()).await
    }
}
