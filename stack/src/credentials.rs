//! Credentials of a stack's database: kept when they exist, generated once when not, or taken from a user's
//! Secret. Generating is the operator's; what the Secrets look like is in `resources/`.

use std::fmt;

/// Name of the superuser in the official image.
pub const SUPERUSER: &str = "postgres";
/// Beginning of the names of the operator's own roles, which `resources/access.sh` creates.
pub const OWN_ROLES: &str = "todostack_";

/// Default `sslmode` of libpq and of the API.
pub const DEFAULT_SSL_MODE: &str = "prefer";

#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub superuser: Option<Login>,
    /// The API's role. None while the Secret that it comes from is missing or invalid.
    pub app: Option<Login>,
    pub change: Change,
}

/// Where a change of the API's credentials is. The API's pods read the Secret `<stack>-db-app` whenever they
/// start, so it holds credentials that the server has accepted. The migration Job reads others from a Secret
/// of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// There is none.
    #[default]
    None,
    /// The server has not accepted the new credentials yet.
    Pending { replaces: Option<String> },
    /// The server accepts both usernames, and pods with the old one are being replaced.
    RollingOut { replaces: String },
    /// No pod has the old credentials.
    Finished,
}

impl Change {
    /// Whether the Job reads the Secret of its own.
    pub fn is_under_way(&self) -> bool {
        match self {
            Self::Pending { .. } | Self::RollingOut { .. } => true,
            Self::None | Self::Finished => false,
        }
    }

    /// The username that running pods have, if it is another than the desired one.
    pub fn replaces(&self) -> Option<&str> {
        match self {
            Self::Pending { replaces } => replaces.as_deref(),
            Self::RollingOut { replaces } => Some(replaces),
            Self::None | Self::Finished => None,
        }
    }
}

/// Credentials as a managed Secret holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Keys that are missing are empty.
    pub login: Login,
    /// Whether all is as the operator wrote it.
    pub intact: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: String,
    pub dbname: String,
    pub host: String,
    pub port: String,
    /// `sslmode` of libpq.
    pub sslmode: String,
    /// Certificates of authorities that the server's certificate is checked against, as PEM. May be empty.
    pub root_certificates: String,
    /// Hash of the rotation (`resolve::rotation`) that was due when the password was generated. Empty before
    /// the first.
    pub rotation: String,
    /// System identifier of the database that was given up last (`resolve::identity`): the next one has
    /// neither roles nor schema. Empty if there is none.
    pub given_up: String,
    /// Changes with any other field. Pods carry it, so that they roll out without exposing a hash of the
    /// password to users who may not read Secrets.
    pub revision: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            password: _,
            dbname,
            host,
            port,
            sslmode,
            root_certificates,
            rotation,
            given_up,
            revision,
        } = self;
        f.debug_struct("Login")
            .field("username", username)
            .field("password", &"<redacted>")
            .field("dbname", dbname)
            .field("host", host)
            .field("port", port)
            .field("sslmode", sslmode)
            .field("root_certificates", root_certificates)
            .field("rotation", rotation)
            .field("given_up", given_up)
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

/// `desired` with the stored revision if nothing else differs from what the operator stored, else with a new
/// one: pods and server then follow.
pub fn revise(desired: Login, stored: Option<&Stored>, generated: &GeneratedSecrets) -> Login {
    let unchanged = stored.filter(|stored| {
        stored.intact && stored.login == Login { revision: stored.login.revision.clone(), ..desired.clone() }
    });
    let revision = unchanged.map_or(&generated.revision, |stored| &stored.login.revision).clone();
    Login { revision, ..desired }
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
            sslmode: DEFAULT_SSL_MODE.into(),
            root_certificates: String::new(),
            rotation: String::new(),
            given_up: String::new(),
            revision: revision.into(),
        }
    }

    fn revision(password: &str, stored: Option<&Stored>) -> String {
        revise(login(password, ""), stored, &crate::fixtures::generated()).revision
    }

    #[test]
    fn unchanged_credentials_keep_their_revision() {
        let stored = Stored { login: login("p", "r1"), intact: true };
        assert_eq!(revision("p", Some(&stored)), "r1");
    }

    #[test]
    fn new_changed_and_edited_credentials_have_a_new_revision() {
        let new = crate::fixtures::generated().revision;
        let intact = Stored { login: login("p", "r1"), intact: true };
        let edited = Stored { intact: false, ..intact.clone() };
        assert_eq!(revision("q", Some(&intact)), new);
        assert_eq!(revision("p", Some(&edited)), new);
        assert_eq!(revision("p", None), new);
    }

    #[test]
    fn debug_output_has_no_password() {
        let text = format!("{:?} {:?}", login("hunter2", "r"), crate::fixtures::generated());
        assert!(!text.contains("hunter2"), "{text}");
    }
}
