//! Reading a Secret that a user wrote: one trailing newline is ignored, every other invalid value is reported
//! by key and position. No value ever enters a finding.

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use crate::{
    credentials::{OWN_ROLES, SUPERUSER},
    finding::{Finding, Severity},
    part::Part,
};

/// `sslmode`s of libpq. The API's database library takes any other text for `prefer`.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/// First and last line of a certificate as PEM (RFC 7468).
pub(super) const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Certificates reach the API in an environment variable, of which Linux allows 128 KiB.
const LARGEST_CERTIFICATES: usize = 100_000;
/// Bytes of a name of a role or database: NAMEDATALEN - 1. Postgres cuts longer ones off.
const LONGEST_NAME: usize = 63;

/// A Secret that a user wrote.
pub(super) struct UserSecret<'a> {
    secret: &'a Secret,
    name: String,
}

impl<'a> UserSecret<'a> {
    pub(super) fn new(secret: &'a Secret) -> Self {
        Self { name: secret.name_any(), secret }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.bytes(key).is_some()
    }

    /// The value of the first of `keys` that exists.
    pub(super) fn text(&self, keys: &[&str]) -> Result<String, Box<Finding>> {
        let Some((key, bytes)) = keys.iter().find_map(|key| Some((*key, self.bytes(key)?))) else {
            return Err(self.missing(keys));
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            self.invalid(key, &format!("is not UTF-8 at byte {}", error.valid_up_to() + 1))
        })?;
        let text = without_newline(text);
        if text.is_empty() {
            return Err(self.invalid(key, "is empty"));
        }
        match text.chars().position(char::is_control) {
            Some(position) => {
                Err(self.invalid(key, &format!("has a control character at position {}", position + 1)))
            }
            None => Ok(text.to_owned()),
        }
    }

    /// The name of the application's role on a managed server, where some names are taken.
    pub(super) fn role(&self) -> Result<String, Box<Finding>> {
        let name = self.name("username", &["username"])?;
        let is_reserved = [SUPERUSER, "public", "none"].contains(&name.as_str())
            || ["pg_", OWN_ROLES].iter().any(|prefix| name.starts_with(prefix));
        if !is_reserved {
            return Ok(name);
        }
        Err(self.finding(
            Reason::SecretKeyInvalid,
            "key username is a role of the server's own".to_owned(),
            format!(
                "Choose another name than {SUPERUSER}, public, none, pg_* and {OWN_ROLES}*: {}",
                self.patch("username")
            ),
        ))
    }

    /// The name of a role on a server that someone else runs.
    pub(super) fn external_role(&self) -> Result<String, Box<Finding>> {
        self.name("username", &["username", "user"])
    }

    pub(super) fn dbname(&self) -> Result<String, Box<Finding>> {
        self.name("dbname", &["dbname", "database"])
    }

    fn name(&self, key: &str, keys: &[&str]) -> Result<String, Box<Finding>> {
        let name = self.text(keys)?;
        if name.len() > LONGEST_NAME {
            let problem =
                format!("has {} bytes, and Postgres cuts names off after {LONGEST_NAME}", name.len());
            return Err(self.invalid(key, &problem));
        }
        Ok(name)
    }

    /// One host name or address. Not a URL, a socket or a list, which the API's library does not read here.
    pub(super) fn host(&self) -> Result<String, Box<Finding>> {
        let host = self.text(&["host"])?;
        let is_part = |char: char| char.is_alphanumeric() || ".-_:%".contains(char);
        if host.chars().all(is_part) {
            Ok(host)
        } else {
            Err(self.invalid("host", "is not one host name or IP address"))
        }
    }

    /// None without the key. The API's database library takes what is no number for 5432.
    pub(super) fn port(&self) -> Result<Option<String>, Box<Finding>> {
        if !self.has("port") {
            return Ok(None);
        }
        let port = self.text(&["port"])?;
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse::<u16>() {
            Ok(1..) if is_number => Ok(Some(port)),
            _ => Err(self.invalid("port", "is not a number from 1 to 65535")),
        }
    }

    /// None without the key.
    pub(super) fn sslmode(&self) -> Result<Option<String>, Box<Finding>> {
        if !self.has("sslmode") {
            return Ok(None);
        }
        let mode = self.text(&["sslmode"])?;
        if SSL_MODES.contains(&mode.as_str()) {
            return Ok(Some(mode));
        }
        Err(self.invalid("sslmode", &format!("is none of {}", SSL_MODES.join(", "))))
    }

    /// The certificates of authorities in `ca.crt` or `sslrootcert`, without comments. Empty without the
    /// keys.
    pub(super) fn root_certificates(&self) -> Result<String, Box<Finding>> {
        let keys = ["ca.crt", "sslrootcert"];
        let Some((key, bytes)) = keys.iter().find_map(|key| Some((*key, self.bytes(key)?))) else {
            return Ok(String::new());
        };
        let text = String::from_utf8_lossy(bytes);
        let certificates: Vec<_> = text.split(BEGIN).skip(1).filter_map(|it| it.split_once(END)).collect();
        let pem: String = certificates.iter().flat_map(|(body, _)| [BEGIN, body, END, "\n"]).collect();
        if pem.is_empty() {
            return Err(self.invalid(key, "has no PEM certificate"));
        }
        if pem.len() > LARGEST_CERTIFICATES {
            return Err(self.invalid(key, &format!("has more than {LARGEST_CERTIFICATES} bytes")));
        }
        Ok(pem)
    }

    /// The password. The API's database library cannot send what SASLprep (RFC 4013) prohibits.
    pub(super) fn password(&self) -> Result<String, Box<Finding>> {
        let text = self.text(&["password"])?;
        if sendable(&text) {
            return Ok(text);
        }
        let alone = |char: char| stringprep::saslprep(char.encode_utf8(&mut [0; 4])).is_err();
        let problem = match text.chars().position(alone) {
            Some(position) => format!("has a character at position {}", position + 1),
            None => "mixes right-to-left and left-to-right text".to_owned(),
        };
        Err(self.finding(
            Reason::SecretKeyInvalid,
            format!("key password {problem}, which cannot be sent to Postgres (RFC 4013)"),
            format!(
                "Choose another password (all printable ASCII and the letters of most scripts are allowed): {}",
                self.patch("password")
            ),
        ))
    }

    /// A warning of those of `keys` whose values end with a newline.
    pub(super) fn trailing_newlines(&self, keys: &[&str]) -> Option<Finding> {
        let ends = |key: &&&str| self.bytes(key).is_some_and(|value| value.ends_with(b"\n"));
        let named: Vec<_> =
            keys.iter().filter(ends).map(|key| format!("Secret {}, key {key}", self.name)).collect();
        (!named.is_empty()).then(|| {
            Finding::new(Part::Credentials, Reason::TrailingNewline, named.join(", and "))
                .problem("ends with a newline, which is ignored")
                .remedy(
                    "Before base64, write the value with printf, which adds no newline, and not with echo",
                )
                .evidence(format!("keys of Secret {}", self.name))
                .related(self.secret.object_ref(&()))
                .severity(Severity::Warning)
        })
    }

    fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.secret.data.as_ref()?.get(key).map(|value| value.0.as_slice())
    }

    fn missing(&self, keys: &[&str]) -> Box<Finding> {
        let key = keys.first().copied().unwrap_or_default();
        self.finding(
            Reason::SecretKeyMissing,
            format!("has no key {}", keys.join(" or ")),
            format!("Add the key: {}", self.patch(key)),
        )
    }

    fn invalid(&self, key: &str, problem: &str) -> Box<Finding> {
        self.finding(
            Reason::SecretKeyInvalid,
            format!("key {key} {problem}"),
            format!("Set it without encoding it by hand: {}", self.patch(key)),
        )
    }

    fn patch(&self, key: &str) -> String {
        let namespace = self.secret.namespace().unwrap_or_default();
        format!(
            "kubectl -n {namespace} patch secret {} --type=merge -p '{{\"stringData\":{{\"{key}\":\"…\"}}}}'",
            self.name
        )
    }

    fn finding(&self, reason: Reason, problem: String, remedy: String) -> Box<Finding> {
        let object = format!("Secret {}", self.name);
        let evidence = format!("keys of {object}");
        let finding = Finding::new(Part::Credentials, reason, object).problem(problem).remedy(remedy);
        Box::new(finding.evidence(evidence).related(self.secret.object_ref(&())))
    }
}

/// Whether a client can send a password.
pub(super) fn sendable(password: &str) -> bool {
    stringprep::saslprep(password).is_ok()
}

/// `echo secret | base64` adds one newline, LF or CRLF.
fn without_newline(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

#[cfg(test)]
mod tests;
