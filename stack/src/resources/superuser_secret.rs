//! The Secret with the superuser's credentials, which only the operator's own pods read. Its keys are in
//! `login_secret.rs`.

use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::login_secret;
use crate::{
    build::Desired,
    names,
    stack::{Database, Stack},
};

/// Key with the system identifier of the database, which the check of the volume reads. It is no part of the
/// credentials: when it becomes known, no pod restarts.
const SYSTEM_IDENTIFIER: &str = "system-identifier";

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(build(stack))
}

fn build(stack: &Stack) -> Option<Secret> {
    let Database::Postgres(postgres) = &stack.database else { return None };
    let name = names::superuser_secret(&stack.id.name);
    let mut secret = login_secret::build(stack, name, postgres.credentials.superuser.as_ref()?);
    let identifier = postgres.system_identifier.clone();
    let key = identifier.map(|it| (SYSTEM_IDENTIFIER.to_owned(), ByteString(it.into_bytes())));
    secret.data.get_or_insert_default().extend(key);
    Some(secret)
}

/// The system identifier of the database, if it is known.
pub fn system_identifier(secret: &Secret) -> Option<String> {
    let value = secret.data.as_ref()?.get(SYSTEM_IDENTIFIER)?;
    String::from_utf8(value.0.clone()).ok().filter(|identifier| !identifier.is_empty())
}
