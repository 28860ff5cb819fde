//! Which credentials a stack has, given what its Secrets hold. Single values of users' Secrets are tested in
//! `user_secret/tests.rs`.

use std::sync::Arc;

use k8s_openapi::ByteString;
use rstest::rstest;

use super::*;
use crate::{
    fixtures::{generated, now, resolved, resolved_from},
    observed::Observed,
    stack::Stack,
};

const NEW: &str = "revision-2";

fn secret(login: &Login) -> Secret {
    login_secret::build(&resolved("{}"), "shop-db-app".to_owned(), login)
}

fn credentials(stack: &Stack) -> (Login, Login) {
    let credentials = stack.credentials().unwrap();
    (credentials.superuser.clone().unwrap(), credentials.app.clone().unwrap())
}

/// The credentials of a stack one of whose two Secrets got the value `value` for `key`.
fn after_edit(is_superuser: bool, key: &str, value: Option<&[u8]>) -> Login {
    let (superuser, app) = credentials(&resolved("{}"));
    let (mut superuser, mut app) = (secret(&superuser), secret(&app));
    let data = if is_superuser { &mut superuser.data } else { &mut app.data }.as_mut().unwrap();
    match value {
        Some(value) => data.insert(key.to_owned(), ByteString(value.to_vec())),
        None => data.remove(key),
    };
    let observed =
        Observed { superuser: Some(Arc::new(superuser)), app: Some(Arc::new(app)), ..Observed::default() };
    let generated = crate::credentials::GeneratedSecrets { revision: NEW.to_owned(), ..generated() };
    let config = crate::fixtures::config();
    let inputs =
        Inputs { observed: &observed, generated: &generated, config: &config, rotate: None, now: now() };
    let stack = crate::resolve::resolve(&crate::fixtures::todostack("{}"), inputs).unwrap();
    let (superuser, app) = credentials(&stack);
    if is_superuser { superuser } else { app }
}

#[rstest]
#[case::password_is_taken("password", Some(b"by-hand".as_slice()), Some("by-hand"))]
#[case::unusable_password_is_replaced("password", Some(b"a\nb".as_slice()), None)]
#[case::unsendable_password_is_replaced("password", Some("\u{1F600}".as_bytes()), None)]
#[case::empty_password_is_replaced("password", Some(b"".as_slice()), None)]
#[case::removed_password_is_replaced("password", None, None)]
fn an_edited_password_gets_a_new_revision(
    #[case] key: &str,
    #[case] value: Option<&[u8]>,
    #[case] taken: Option<&str>,
    #[values(true, false)] is_superuser: bool,
) {
    let login = after_edit(is_superuser, key, value);
    let generated = generated();
    let replacement = if is_superuser { &generated.superuser_password } else { &generated.app_password };
    assert_eq!(login.password, taken.unwrap_or(replacement));
    assert_eq!(login.revision, NEW);
}

#[rstest]
fn another_field_is_put_back_under_a_new_revision(
    #[values("username", "dbname", "host", "port", "sslmode", "revision", "seal")] key: &str,
    #[values(true, false)] is_superuser: bool,
) {
    let (superuser, app) = credentials(&resolved("{}"));
    let before = if is_superuser { superuser } else { app };
    let login = after_edit(is_superuser, key, Some(b"other"));
    assert_eq!(login, Login { revision: NEW.to_owned(), ..before });
}

#[rstest]
fn a_reserved_name_leaves_the_stack_without_application_credentials(
    #[values("postgres", "pg_read_all_data", "public", "none", "todostack_owner")] username: &str,
) {
    let data = [("username", username), ("password", "x")]
        .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
    let own = Secret { data: Some(data.into()), ..Secret::default() };
    let mut observed = Observed::default();
    observed.referenced.credentials = Lookup::Found(Box::new(own));
    let stack = resolved_from("database: {postgres: {credentialsSecret: {name: own}}}", &observed);
    assert!(stack.credentials().unwrap().app.is_none());
    assert!(stack.findings.iter().any(|finding| finding.reason == Reason::SecretKeyInvalid));
}
