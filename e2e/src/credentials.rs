//! Logins as tests write and try them: a Secret with a user's own, and `psql` with a password of the test's choice.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::{ObjectMeta, Patch, PatchParams};

use crate::namespace::Namespace;

/// The place of a stack's own server, from inside its pod. Not the loopback address, which needs no password.
const TRY: &str = "PGPASSWORD=\"$2\" exec psql --host=\"$(hostname -i)\" --username=\"$1\" --dbname=\"$3\" \
                   --no-psqlrc --tuples-only --no-align --command='select current_user'";

/// A role and its password.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Role.
    pub username: &'a str,
    /// Its password.
    pub password: &'a [u8],
}

impl Namespace {
    /// Writes a Secret with a login and whatever else is given, as somebody does who brings one.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn bring(&self, secret: &str, login: Login<'_>, more: &[(&str, &str)]) -> Result<()> {
        let Login { username, password } = login;
        let key = |name: &str, value: &[u8]| (name.to_owned(), ByteString(value.to_vec()));
        let mut data = BTreeMap::from([key("username", username.as_bytes()), key("password", password)]);
        data.extend(more.iter().map(|(name, value)| key(name, value.as_bytes())));
        let object = Secret {
            metadata: ObjectMeta { name: Some(secret.to_owned()), ..ObjectMeta::default() },
            data: Some(data),
            ..Secret::default()
        };
        let parameters = PatchParams::apply("e2e").force();
        self.api::<Secret>().patch(secret, &parameters, &Patch::Apply(&object)).await?;
        Ok(())
    }

    /// The password in a Secret.
    ///
    /// # Errors
    /// There is none.
    pub async fn password(&self, secret: &str) -> Result<String> {
        let found = self.api::<Secret>().get(secret).await?;
        let password = found.data.and_then(|mut data| data.remove("password"));
        Ok(String::from_utf8(password.with_context(|| format!("{secret} has no password"))?.0)?)
    }

    /// Logs in at the managed server of the stack `shop`, with a password, and gives back who the server says it is.
    ///
    /// # Errors
    /// The server does not let it in: its words are in the error.
    pub async fn log_in(&self, (username, password): (&str, &str), database: &str) -> Result<String> {
        let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c", TRY, "try"];
        let printed = self.kubectl(&[&inside[..], &[username, password, database]].concat()).await?;
        Ok(printed.trim().to_owned())
    }
}
