//! The Secret with credentials that the server is yet to accept, which only the migration Job reads. It
//! exists while the credentials change. Its keys are in `login_secret.rs`.

use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::login_secret;
use crate::{
    build::Desired,
    credentials::Change,
    labels::{self, Component},
    managed::Key,
    names,
    stack::Stack,
};

/// Key with the username that running pods have, if it is another one. It can log in until they are replaced.
const REPLACES: &str = "replaces";

pub(crate) fn desired(stack: &Stack) -> Desired {
    let Some(credentials) = stack.credentials() else { return Desired::Keep };
    let name = names::next_secret(&stack.id.name);
    match (&credentials.change, &credentials.app) {
        (Change::Pending { replaces }, Some(login)) => {
            let mut secret = login_secret::build(stack, name.clone(), login);
            secret.metadata = labels::owned(stack, name, Component::Database);
            let replaces = replaces.clone().map(|it| (REPLACES.to_owned(), ByteString(it.into_bytes())));
            secret.data.get_or_insert_default().extend(replaces);
            Desired::apply(Some(secret))
        }
        (Change::Finished, _) => Desired::Delete(Key::new::<Secret>(name)),
        (Change::None | Change::RollingOut { .. }, _) | (Change::Pending { .. }, None) => Desired::Keep,
    }
}

/// The username that running pods have, if it is another one.
pub fn replaces(secret: &Secret) -> Option<String> {
    let value = secret.data.as_ref()?.get(REPLACES)?;
    String::from_utf8(value.0.clone()).ok()
}
