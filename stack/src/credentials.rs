//! Credentials of a stack's database: kept when they exist, generated once when not, or taken from a user's
//! Secret. Generating is the operator's; what the Secrets look like is in `resources/`.

use std::fmt;

#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub superuser: Option<Login>,
    /// The API's role. None while the Secret that it comes from is missing or invalid.
    pub app: Option<Login>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: String,
    pub dbname: String,
    pub host: String,
    pub port: String,
    /// `sslmode` of libpq. None: the client's default.
    pub sslmode: Option<String>,
    /// Changes with any other field. Pods carry it, so that they roll out without exposing a hash of the
    /// password to users who may not read Secrets.
    pub revision: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, password: _, dbname, host, port, sslmode, revision } = self;
        f.debug_struct("Login")
            .field("username", username)
            .field("password", &"<redacted>")
            .field("dbname", dbname)
            .field("host", host)
            .field("port", port)
            .field("sslmode", sslmode)
            .field("revision", revision)
            .finish()
    }
}

/// Random values for one reconcile, generated before it, so that all that follows is a function of its
/// inputs.
#[derive(Clone)]
pub struct GeneratedSecrets {
    pub superuser_password: String,
    pub app_password: String,
    pub revision: String,
}

impl fmt::Debug for GeneratedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedSecrets(<redacted>)")
    }
}

/// `desired` with the revision of `kept` if nothing else differs, else with a new one.
pub fn revise(desired: Login, kept: Option<&Login>, generated: &GeneratedSecrets) -> Login {
    let revision = kept.map_or(&generated.revision, |kept| &kept.revision).clone();
    let same = Login { revision, ..desired };
    if kept.is_none_or(|kept| *kept == same) {
        same
    } else {
        Login { revision: generated.revision.clone(), ..same }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(password: &str, revision: &str) -> Login {
        Login {
            username: "todo".into(),
            password: password.into(),
            dbname: "todo".into(),
            host: "shop-db".into(),
            port: "5432".into(),
            sslmode: None,
            revision: revision.into(),
        }
    }

    #[test]
    fn unchanged_credentials_keep_their_revision() {
        let generated = crate::fixtures::generated();
        assert_eq!(revise(login("p", ""), Some(&login("p", "r1")), &generated).revision, "r1");
    }

    #[test]
    fn new_or_changed_credentials_have_a_new_revision() {
        let generated = crate::fixtures::generated();
        assert_eq!(revise(login("q", ""), Some(&login("p", "r1")), &generated).revision, generated.revision);
        assert_eq!(revise(login("p", ""), None, &generated).revision, generated.revision);
    }

    #[test]
    fn debug_output_has_no_password() {
        let text = format!("{:?} {:?}", login("hunter2", "r"), crate::fixtures::generated());
        assert!(!text.contains("hunter2"), "{text}");
    }
}
