//! The Secret with the superuser's credentials, which only the operator's own pods read. Its keys are in
//! `login_secret.rs`.

use super::login_secret;
use crate::{build::Desired, names, stack::Stack};

pub(crate) fn desired(stack: &Stack) -> Desired {
    let login = stack.credentials().and_then(|credentials| credentials.superuser.as_ref());
    let name = names::superuser_secret(&stack.id.name);
    Desired::apply(login.map(|login| login_secret::build(stack, name, login)))
}
