//! The format of Secrets with credentials, written and read back. The keys are those of CloudNativePG.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    credentials::Login,
    labels::{self, Component},
    stack::Stack,
};

/// Characters that need no escaping in a URI's userinfo (RFC 3986, unreserved).
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The Secret `name` with `login`.
pub fn build(stack: &Stack, name: String, login: &Login) -> Secret {
    let Login { username, password, dbname, host, port, sslmode, revision } = login;
    let user = utf8_percent_encode(username, USERINFO);
    let pass = utf8_percent_encode(password, USERINFO);
    let mut text = BTreeMap::from([
        ("username", username.clone()),
        ("password", password.clone()),
        ("dbname", dbname.clone()),
        ("host", host.clone()),
        ("port", port.clone()),
        ("uri", format!("postgresql://{user}:{pass}@{host}:{port}/{dbname}")),
        ("jdbc-uri", format!("jdbc:postgresql://{host}:{port}/{dbname}?password={pass}&user={user}")),
        ("pgpass", format!("{host}:{port}:{dbname}:{}:{}\n", pgpass(username), pgpass(password))),
        ("revision", revision.clone()),
    ]);
    if let Some(sslmode) = sslmode {
        text.insert("sslmode", sslmode.clone());
    }
    Secret {
        metadata: labels::kept(stack, name, Component::Database),
        type_: Some("kubernetes.io/basic-auth".to_owned()),
        data: Some(
            text.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes()))).collect(),
        ),
        ..Secret::default()
    }
}

/// The credentials that `build` wrote. None if a key is missing.
pub fn read(secret: &Secret) -> Option<Login> {
    let data = secret.data.as_ref()?;
    let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
    Some(Login {
        username: text("username")?,
        password: text("password")?,
        dbname: text("dbname")?,
        host: text("host")?,
        port: text("port")?,
        sslmode: text("sslmode"),
        revision: text("revision")?,
    })
}

/// A field of a pgpass line: colon and backslash are escaped (libpq, "The Password File").
fn pgpass(field: &str) -> String {
    field.replace('\\', "\\\\").replace(':', "\\:")
}
