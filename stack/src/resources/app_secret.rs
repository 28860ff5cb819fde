//! The Secret with the credentials that the API's pods read whenever they start. Its keys are in
//! `login_secret.rs`.

use super::login_secret;
use crate::{build::Desired, credentials::Change, names, stack::Stack};

/// Its desired state. It keeps the credentials of the running pods until the server has accepted others.
pub(crate) fn desired(stack: &Stack) -> Desired {
    let Some(credentials) = stack.credentials() else { return Desired::Keep };
    let is_accepted = |revision: &str| {
        !matches!(credentials.change, Change::Pending { .. }) || revision == stack.api.release.revision
    };
    let login = credentials.app.as_ref().filter(|login| is_accepted(&login.revision));
    let name = names::app_secret(&stack.id.name);
    Desired::apply(login.map(|login| login_secret::build(stack, name, login)))
}
