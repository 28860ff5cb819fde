//! Secrets that a test's user provides, and logging in to the managed server with a given password.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::{ObjectMeta, Patch, PatchParams};

use crate::namespace::Namespace;

// Logs in from inside the pod, but not at the loopback address, which needs no password.
const LOG_IN: &str = "PGPASSWORD=\"$2\" exec psql --host=\"$(hostname -i)\" --username=\"$1\" \
                      --dbname=\"$3\" --no-psqlrc --tuples-only --no-align --command='select session_user'";

#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

impl Namespace {
    pub async fn apply_secret(&self, name: &str, data: &[(&str, &str)]) -> Result<()> {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let object = Secret { metadata, data: Some(data.collect()), ..Secret::default() };
        let parameters = PatchParams::apply("e2e").force();
        self.api::<Secret>().patch(name, &parameters, &Patch::Apply(&object)).await?;
        Ok(())
    }

    // Applies a Secret for `spec.database.postgres.credentialsSecret`.
    pub async fn apply_login(&self, secret: &str, login: Login<'_>) -> Result<()> {
        self.apply_secret(secret, &[("username", login.username), ("password", login.password)]).await
    }

    pub async fn password(&self, secret: &str) -> Result<String> {
        let data = self.api::<Secret>().get(secret).await?.data;
        let password = data.and_then(|mut data| data.remove("password"));
        Ok(String::from_utf8(password.with_context(|| format!("{secret} has no password"))?.0)?)
    }

    // Logs in to the managed server of the stack `shop`, and returns `session_user`.
    pub async fn log_in(&self, login: Login<'_>, database: &str) -> Result<String> {
        let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c", LOG_IN, "log-in"];
        let printed =
            self.kubectl(&[&inside[..], &[login.username, login.password, database]].concat()).await?;
        Ok(printed.trim().to_owned())
    }

    // Succeeds if the managed server of the stack `shop` rejects the password.
    pub async fn log_in_fails(&self, login: Login<'_>, database: &str) -> Result<()> {
        let error = self.log_in(login, database).await.err();
        let error =
            error.with_context(|| format!("the server accepts a wrong password of {}", login.username))?;
        ensure!(error.to_string().contains("password authentication failed"), "{error:#}");
        Ok(())
    }
}
