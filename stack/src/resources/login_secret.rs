//! The format of Secrets with credentials, written and read back. The keys are those of CloudNativePG.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    credentials::{DEFAULT_SSL_MODE, Login, Stored},
    hash,
    labels::{self, Component},
    stack::Stack,
};

/// Characters that need no escaping in a URI's userinfo (RFC 3986, unreserved).
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Key with the certificates of authorities. Absent if there are none: the client takes an empty value for a
/// file.
pub const ROOT_CERTIFICATES: &str = "ca.crt";
/// Key with the system identifier of the database that was given up last. Absent if there is none.
const GIVEN_UP: &str = "given-up-system-identifier";
/// Key with the hash by which an edit is noticed.
const SEAL: &str = "seal";

/// Keys of these Secrets, and of those that users bring, whose values are not confidential. `revision` tells
/// versions of credentials apart.
pub const PUBLIC_KEYS: &[&str] = &[
    "username",
    "user",
    "dbname",
    "database",
    "host",
    "port",
    "sslmode",
    "revision",
    "rotation",
    "replaces",
    "system-identifier",
    GIVEN_UP,
];

/// The Secret `name` with `login`.
pub fn build(stack: &Stack, name: String, login: &Login) -> Secret {
    let Login {
        username,
        password,
        dbname,
        host,
        port,
        sslmode,
        root_certificates,
        rotation,
        given_up,
        revision,
    } = login;
    let user = utf8_percent_encode(username, USERINFO);
    let pass = utf8_percent_encode(password, USERINFO);
    let mut text = BTreeMap::from([
        ("username", username.clone()),
        ("password", password.clone()),
        ("dbname", dbname.clone()),
        ("host", host.clone()),
        ("port", port.clone()),
        // Always written, so that a value that someone adds does not stay.
        ("sslmode", sslmode.clone()),
        ("uri", uri(login)),
        ("jdbc-uri", format!("jdbc:postgresql://{host}:{port}/{dbname}?password={pass}&user={user}")),
        ("pgpass", format!("{host}:{port}:{dbname}:{}:{}\n", pgpass(username), pgpass(password))),
        ("rotation", rotation.clone()),
        ("revision", revision.clone()),
        (SEAL, seal(login)),
    ]);
    if !root_certificates.is_empty() {
        text.insert(ROOT_CERTIFICATES, root_certificates.clone());
    }
    if !given_up.is_empty() {
        text.insert(GIVEN_UP, given_up.clone());
    }
    Secret {
        metadata: labels::unowned(stack, name, Component::Database),
        type_: Some("kubernetes.io/basic-auth".to_owned()),
        data: Some(
            text.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes()))).collect(),
        ),
        ..Secret::default()
    }
}

/// The credentials that `build` wrote, and whether someone edited them since.
pub fn read(secret: &Secret) -> Stored {
    let text = |key: &str| {
        let value = secret.data.as_ref()?.get(key)?;
        String::from_utf8(value.0.clone()).ok()
    };
    let mut login = Login {
        username: text("username").unwrap_or_default(),
        password: text("password").unwrap_or_default(),
        dbname: text("dbname").unwrap_or_default(),
        host: text("host").unwrap_or_default(),
        port: text("port").unwrap_or_default(),
        sslmode: text("sslmode").unwrap_or_else(|| DEFAULT_SSL_MODE.to_owned()),
        root_certificates: text(ROOT_CERTIFICATES).unwrap_or_default(),
        rotation: text("rotation").unwrap_or_default(),
        given_up: text(GIVEN_UP).unwrap_or_default(),
        revision: text("revision").unwrap_or_default(),
    };
    let written = text(SEAL);
    let without = Login { root_certificates: String::new(), ..login.clone() };
    if written.as_ref().is_some_and(|written| *written == seal(&without)) {
        // A key that someone added to credentials that have none stays, since the operator does not own it.
        login = without;
    }
    let intact = match written {
        Some(written) => written == seal(&login),
        // Earlier versions wrote no seal: there, the URI shows an edit of any field that is part of it.
        None => text("uri").is_some_and(|written| written == uri(&login)),
    };
    Stored { login, intact }
}

fn uri(login: &Login) -> String {
    let Login {
        username,
        password,
        dbname,
        host,
        port,
        sslmode: _,
        root_certificates: _,
        rotation: _,
        given_up: _,
        revision: _,
    } = login;
    let user = utf8_percent_encode(username, USERINFO);
    let pass = utf8_percent_encode(password, USERINFO);
    format!("postgresql://{user}:{pass}@{host}:{port}/{dbname}")
}

/// A hash over all fields. It is a function of the password, so it is kept in the Secret alone.
fn seal(login: &Login) -> String {
    let Login {
        username,
        password,
        dbname,
        host,
        port,
        sslmode,
        root_certificates,
        rotation,
        given_up,
        revision,
    } = login;
    let fields =
        [username, password, dbname, host, port, sslmode, root_certificates, rotation, given_up, revision];
    hash::long(&fields.map(String::as_str))
}

/// Makes credentials that a test changed look as if the operator had written them.
#[cfg(test)]
pub(crate) fn seal_again(secret: &mut Secret) {
    let seal = seal(&read(secret).login);
    secret.data.get_or_insert_default().insert(SEAL.to_owned(), ByteString(seal.into_bytes()));
}

/// A field of a pgpass line: colon and backslash are escaped (libpq, "The Password File").
fn pgpass(field: &str) -> String {
    field.replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{credentials::revise, fixtures};

    fn stored() -> Secret {
        let stack = fixtures::resolved("{}");
        let login = stack.credentials().unwrap().app.clone().unwrap();
        build(&stack, "shop-db-app".to_owned(), &login)
    }

    fn is_noticed_or_undone(edited: &Secret) -> bool {
        let (before, after) = (read(&stored()), read(edited));
        let generated = crate::credentials::GeneratedSecrets {
            revision: "revision-2".to_owned(),
            ..fixtures::generated()
        };
        let next = revise(after.login.clone(), Some(&after), &generated);
        next.revision == "revision-2" || next == before.login
    }

    #[test]
    fn what_was_written_is_intact() {
        assert!(read(&stored()).intact);
    }

    #[test]
    fn a_secret_of_an_earlier_version_is_intact_until_it_is_edited() {
        let mut earlier = stored();
        let data = earlier.data.as_mut().unwrap();
        data.remove(SEAL);
        assert!(read(&earlier).intact);
        earlier.data.as_mut().unwrap().insert("password".to_owned(), ByteString(b"edited".to_vec()));
        assert!(!read(&earlier).intact);
    }

    #[test]
    fn removing_any_key_is_noticed_or_undone() {
        let keys: Vec<_> = stored().data.unwrap().into_keys().collect();
        for key in keys {
            let mut edited = stored();
            edited.data.as_mut().unwrap().remove(&key);
            assert!(is_noticed_or_undone(&edited), "{key}");
        }
    }

    #[test]
    fn certificates_that_someone_adds_change_nothing_and_those_of_the_user_are_sealed() {
        let added = |secret: &Secret| {
            let mut secret = secret.clone();
            let data = secret.data.get_or_insert_default();
            data.insert(ROOT_CERTIFICATES.to_owned(), ByteString(b"other".to_vec()));
            read(&secret)
        };
        let without = stored();
        assert_eq!(added(&without), read(&without));
        let login = Login { root_certificates: "pem".to_owned(), ..read(&without).login };
        let with = build(&fixtures::resolved("{}"), "shop-db-app".to_owned(), &login);
        assert_eq!(read(&with), Stored { login, intact: true });
        assert!(!added(&with).intact);
    }

    proptest! {
        #[test]
        fn changing_any_key_is_noticed_or_undone(index in any::<prop::sample::Index>(), value in ".*") {
            let mut edited = stored();
            let data = edited.data.as_mut().unwrap();
            let key = index.get(&data.keys().cloned().collect::<Vec<_>>()).clone();
            data.insert(key.clone(), ByteString(value.into_bytes()));
            prop_assert!(is_noticed_or_undone(&edited), "{key}");
        }
    }
}
