//! Credentials of a stack's database: kept when they exist, generated once when not, or taken from a user's Secret.
//! Generating is the operator's; what the Secrets look like is in `resources/`.

use std::fmt;

/// The logins of a stack's database.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The operator's own role of a managed server.
    pub superuser: Option<Login>,
    /// The API's role; none while what it comes from is missing or wrong.
    pub app: Option<Login>,
}

/// One login.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Role.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Database.
    pub dbname: String,
    /// Host name of the server.
    pub host: String,
    /// Port of the server.
    pub port: String,
    /// `sslmode` of libpq; none: the client's default.
    pub sslmode: Option<String>,
    /// Drawn anew when any of the above changes. Pods carry it, so that they roll without a fingerprint of the
    /// password standing where people without a right to Secrets can read it.
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

/// Random values for one reconcile, generated before it, so that all that follows is a function of its inputs.
#[derive(Clone)]
pub struct GeneratedSecrets {
    /// Password for a superuser that has none.
    pub superuser_password: String,
    /// Password for an application role that has none.
    pub app_password: String,
    /// Revision for logins that change.
    pub revision: String,
}

impl fmt::Debug for GeneratedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedSecrets(<redacted>)")
    }
}

/// The wanted login with the kept one's revision when nothing else differs, else with a new one.
#[must_use]
pub fn revise(wanted: Login, kept: Option<&Login>, generated: &GeneratedSecrets) -> Login {
    let revision = kept.map_or(&generated.revision, |kept| &kept.revision).clone();
    let same = Login { revision, ..wanted };
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
    fn a_login_that_stays_keeps_its_revision() {
        let generated = crate::fixtures::generated();
        assert_eq!(revise(login("p", ""), Some(&login("p", "r1")), &generated).revision, "r1");
    }

    #[test]
    fn a_login_that_changes_or_begins_has_a_new_revision() {
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
