//! `CredentialsValid`: the credentials of the database exist and are usable.

use k8s_openapi::api::core::v1::Secret;
use todostack_crds::{ConditionType::CredentialsValid, Reason};

use super::{Status, Verdict, View};
use crate::{managed::Key, names, part::Part};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    if let Some(finding) = view.finding(Part::Credentials) {
        return Verdict::finding(CredentialsValid, finding);
    }
    if view.stack.credentials().is_none() {
        let message = "SQLite needs no credentials";
        return Verdict::new(CredentialsValid, Status::True, Reason::NotNeeded, message);
    }
    if let Some(warning) = view.warning(Part::Credentials) {
        return Verdict::finding(CredentialsValid, warning);
    }
    let secret = names::app_secret(&view.stack.id.name);
    if view.observed.inventory.contains(&Key::new::<Secret>(secret.clone())) {
        let message = format!("Secret {secret} has the credentials");
        return Verdict::new(CredentialsValid, Status::True, Reason::AsExpected, message);
    }
    Verdict::new(
        CredentialsValid,
        Status::Unknown,
        Reason::Progressing,
        format!("Secret {secret} is being created"),
    )
}
