//! Reading a Secret that a user wrote: one trailing newline is ignored, every other invalid value is reported
//! by key and position. No value ever enters a finding.

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use crate::{
    finding::{Finding, Severity},
    part::Part,
};

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

    /// The password. The API's database library cannot send what SASLprep (RFC 4013) prohibits.
    pub(super) fn password(&self) -> Result<String, Box<Finding>> {
        let text = self.text(&["password"])?;
        if stringprep::saslprep(&text).is_ok() {
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
            "Choose another password: all printable ASCII and the letters of most scripts are allowed, emoji are not".to_owned(),
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
            format!(
                "Add the key: kubectl patch secret {} --type=merge -p '{{\"stringData\":{{\"{key}\":\"…\"}}}}'",
                self.name
            ),
        )
    }

    fn invalid(&self, key: &str, problem: &str) -> Box<Finding> {
        self.finding(
            Reason::SecretKeyInvalid,
            format!("key {key} {problem}"),
            format!(
                "Set it without encoding it by hand: kubectl patch secret {} --type=merge -p '{{\"stringData\":{{\"{key}\":\"…\"}}}}'",
                self.name
            ),
        )
    }

    fn finding(&self, reason: Reason, problem: String, remedy: String) -> Box<Finding> {
        let object = format!("Secret {}", self.name);
        let evidence = format!("keys of {object}");
        let finding = Finding::new(Part::Credentials, reason, object).problem(problem).remedy(remedy);
        Box::new(finding.evidence(evidence).related(self.secret.object_ref(&())))
    }
}

/// `echo secret | base64` adds one newline, LF or CRLF.
fn without_newline(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use rstest::rstest;

    use super::*;

    fn read(value: &[u8]) -> Result<String, Box<Finding>> {
        let secret = Secret {
            metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                name: Some("pg".into()),
                ..Default::default()
            },
            data: Some([("password".to_owned(), ByteString(value.to_vec()))].into()),
            ..Secret::default()
        };
        UserSecret::new(&secret).text(&["password"])
    }

    #[rstest]
    #[case::plain(b"s3cret", "s3cret")]
    #[case::line_feed(b"s3cret\n", "s3cret")]
    #[case::windows(b"s3cret\r\n", "s3cret")]
    #[case::spaces_are_part_of_it(b" s3 cret ", " s3 cret ")]
    #[case::every_sign("~!@#$%^&*()'\"\\`{}|:;<>?,./ä€".as_bytes(), "~!@#$%^&*()'\"\\`{}|:;<>?,./ä€")]
    fn a_value_is_read_without_its_trailing_newline(#[case] value: &[u8], #[case] expected: &str) {
        assert_eq!(read(value).unwrap(), expected);
    }

    #[rstest]
    #[case::two_newlines(b"s3cret\n\n", "key password has a control character at position 7")]
    #[case::tab(b"s3\tcret", "key password has a control character at position 3")]
    #[case::nul(b"\0", "key password has a control character at position 1")]
    #[case::latin1(b"caf\xe9", "key password is not UTF-8 at byte 4")]
    #[case::nothing(b"\n", "key password is empty")]
    fn an_invalid_value_is_reported_by_key_and_position(#[case] value: &[u8], #[case] problem: &str) {
        let finding = read(value).unwrap_err();
        assert_eq!((finding.reason, finding.problem.as_str()), (Reason::SecretKeyInvalid, problem));
        assert_eq!(finding.object, "Secret pg");
    }

    #[test]
    fn a_missing_key_is_reported() {
        let finding = UserSecret::new(&Secret::default()).text(&["username", "user"]).unwrap_err();
        assert_eq!(finding.problem, "has no key username or user");
    }

    #[rstest]
    #[case::letters("äßéЖ漢€ and ASCII", None)]
    #[case::emoji("ab😀c", Some("at position 3"))]
    #[case::directions("abא", Some("mixes right-to-left"))]
    fn a_password_that_no_client_can_send_is_reported_and_not_shown(
        #[case] value: &str,
        #[case] problem: Option<&str>,
    ) {
        let data = [("password".to_owned(), ByteString(value.as_bytes().to_vec()))];
        let secret = Secret { data: Some(data.into()), ..Secret::default() };
        let answer = UserSecret::new(&secret).password();
        match problem {
            None => assert_eq!(answer.unwrap(), value),
            Some(problem) => {
                let message = answer.unwrap_err().message();
                assert!(message.contains(problem), "{message}");
                assert!(!message.contains('😀') && !message.contains('א'), "{message}");
            }
        }
    }
}
