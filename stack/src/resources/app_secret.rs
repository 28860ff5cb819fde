//! The Secret with the application's credentials, which the API and the migration read. Its keys are in
//! `login_secret.rs`.

use super::login_secret;
use crate::{build::Desired, names, stack::Stack};

pub(crate) fn desired(stack: &Stack) -> Desired {
    let login = stack.credentials().and_then(|credentials| credentials.app.as_ref());
    let name = names::app_secret(&stack.id.name);
    Desired::apply(login.map(|login| login_secret::build(stack, name, login)))
}
