//! Values of a user's Secret that are accepted and that are reported. Credentials as a whole are tested in
//! `login/tests.rs`.

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

fn with(key: &str, value: &str) -> Secret {
    let data = [(key.to_owned(), ByteString(value.as_bytes().to_vec()))];
    Secret { data: Some(data.into()), ..Secret::default() }
}

#[rstest]
#[case::superuser("postgres", "is a role of the server's own")]
#[case::owner("todostack_owner", "is a role of the server's own")]
#[case::reserved_prefix("pg_monitor", "is a role of the server's own")]
#[case::public("public", "is a role of the server's own")]
#[case::none("none", "is a role of the server's own")]
#[case::newline_does_not_hide_it("postgres\n", "is a role of the server's own")]
#[case::cut_off_by_the_server(&"ä".repeat(32), "has 64 bytes, and Postgres cuts names off after 63")]
fn a_name_that_cannot_be_a_role_of_its_own_is_reported(#[case] username: &str, #[case] problem: &str) {
    let finding = UserSecret::new(&with("username", username)).role().unwrap_err();
    let problem = format!("key username {problem}");
    assert_eq!((finding.reason, finding.problem), (Reason::SecretKeyInvalid, problem));
}

#[rstest]
#[case::plain("shop")]
#[case::case_matters("Postgres")]
#[case::quoted("it's \"mine\"")]
#[case::longest(&"s".repeat(63))]
#[case::similar_prefix("pgadmin")]
fn any_other_name_is_a_role(#[case] username: &str) {
    assert_eq!(UserSecret::new(&with("username", username)).role().unwrap(), username);
}

#[rstest]
#[case::underscore("sslmode", "verify_full", false)]
#[case::upper_case("sslmode", "REQUIRE", false)]
#[case::highest("sslmode", "verify-full", true)]
#[case::lowest("sslmode", "disable", true)]
#[case::default("port", "5432", true)]
#[case::last("port", "65535", true)]
#[case::zero("port", "0", false)]
#[case::too_large("port", "65536", false)]
#[case::sign("port", "+5432", false)]
#[case::word("port", "postgres", false)]
#[case::name("host", "pg.example.com", true)]
#[case::short_name("host", "pg_1", true)]
#[case::address("host", "2001:db8::1", true)]
#[case::url("host", "postgres://pg.example.com", false)]
#[case::socket("host", "/var/run/postgresql", false)]
#[case::two("host", "pg-1,pg-2", false)]
#[case::space("host", "pg.example.com ", false)]
#[case::longest("dbname", &"d".repeat(63), true)]
#[case::too_long("dbname", &"d".repeat(64), false)]
fn a_value_that_the_client_would_replace_by_a_default_is_reported(
    #[case] key: &str,
    #[case] value: &str,
    #[case] is_valid: bool,
) {
    let secret = with(key, value);
    let secret = UserSecret::new(&secret);
    let answer = match key {
        "sslmode" => secret.sslmode().map(Option::unwrap_or_default),
        "port" => secret.port().map(Option::unwrap_or_default),
        "host" => secret.host(),
        _ => secret.dbname(),
    };
    match answer {
        Ok(answer) => assert!(is_valid && answer == value, "{key} {value}"),
        Err(finding) => {
            assert!(!is_valid, "{finding:?}");
            assert_eq!(finding.reason, Reason::SecretKeyInvalid);
            assert!(finding.problem.starts_with(&format!("key {key} ")), "{}", finding.problem);
        }
    }
}

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

#[rstest]
#[case::one("ca.crt", format!("{CERTIFICATE}\n"), format!("{CERTIFICATE}\n"))]
#[case::name_of_libpq("sslrootcert", CERTIFICATE.to_owned(), format!("{CERTIFICATE}\n"))]
#[case::bundle_with_comments(
    "ca.crt",
    format!("# Root 1\n{CERTIFICATE}\n# Root 2\n{CERTIFICATE}\n"),
    format!("{CERTIFICATE}\n{CERTIFICATE}\n")
)]
#[case::none("username", "shop".to_owned(), String::new())]
fn certificates_of_authorities_are_read(#[case] key: &str, #[case] value: String, #[case] expected: String) {
    assert_eq!(UserSecret::new(&with(key, &value)).root_certificates().unwrap(), expected);
}

#[rstest]
#[case::path("sslrootcert", "/etc/ssl/ca.crt".to_owned(), "has no PEM certificate")]
#[case::cut_off("ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB".to_owned(), "has no PEM certificate")]
#[case::too_large("ca.crt", format!("{CERTIFICATE}\n").repeat(2000), "has more than 100000 bytes")]
fn what_is_no_certificate_is_reported(#[case] key: &str, #[case] value: String, #[case] problem: &str) {
    let finding = UserSecret::new(&with(key, &value)).root_certificates().unwrap_err();
    assert_eq!(finding.problem, format!("key {key} {problem}"));
    assert_eq!(finding.reason, Reason::SecretKeyInvalid);
}
