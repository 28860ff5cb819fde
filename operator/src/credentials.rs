//! The logins of a stack: kept when there are any, generated once when not, taken over from a Secret of the user's.
//! The one place that draws randomness. What the Secrets look like lives in `resources/`.

use std::fmt;

use rand::{RngExt as _, distr::Alphanumeric};

/// Length of a generated password: 32 letters and digits are 190 bits.
const PASSWORD_LENGTH: usize = 32;
/// Length of a revision: it has to differ, not to be guessed.
const REVISION_LENGTH: usize = 12;

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

/// Random values for one pass, drawn before it, so that all that follows is a function of its inputs.
#[derive(Clone)]
pub struct Fresh {
    /// Password for a superuser that has none.
    pub superuser_password: String,
    /// Password for an application role that has none.
    pub app_password: String,
    /// Revision for logins that change.
    pub revision: String,
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh(<redacted>)")
    }
}

impl Fresh {
    /// Draws from the operating system's generator.
    #[must_use]
    pub fn draw() -> Self {
        let text = |length| rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect();
        Self {
            superuser_password: text(PASSWORD_LENGTH),
            app_password: text(PASSWORD_LENGTH),
            revision: text(REVISION_LENGTH),
        }
    }
}

/// The wanted login with the kept one's revision when nothing else differs, else with a new one.
#[must_use]
pub fn revise(wanted: Login, kept: Option<&Login>, fresh: &Fresh) -> Login {
    let revision = kept.map_or(&fresh.revision, |kept| &kept.revision).clone();
    let same = Login { revision, ..wanted };
    if kept.is_none_or(|kept| *kept == same) {
        same
    } else {
        Login { revision: fresh.revision.clone(), ..same }
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
        let fresh = Fresh::draw();
        assert_eq!(revise(login("p", ""), Some(&login("p", "r1")), &fresh).revision, "r1");
    }

    #[test]
    fn a_login_that_changes_or_begins_has_a_new_revision() {
        let fresh = Fresh::draw();
        assert_eq!(revise(login("q", ""), Some(&login("p", "r1")), &fresh).revision, fresh.revision);
        assert_eq!(revise(login("p", ""), None, &fresh).revision, fresh.revision);
    }

    #[test]
    fn two_draws_differ_and_have_no_character_that_a_url_or_shell_minds() {
        let (one, two) = (Fresh::draw(), Fresh::draw());
        assert_ne!(one.app_password, two.app_password);
        assert_ne!(one.app_password, one.superuser_password);
        assert!(one.app_password.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(one.app_password.len(), PASSWORD_LENGTH);
    }

    #[test]
    fn debug_output_has_no_password() {
        let text = format!("{:?} {:?}", login("hunter2", "r"), Fresh::draw());
        assert!(!text.contains("hunter2"), "{text}");
    }
}
