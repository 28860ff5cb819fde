//! `CredentialsValid`: the login is there and usable.

use k8s_openapi::api::core::v1::Secret;
use todostack_crds::{ConditionType::CredentialsValid, Reason};

use super::{Status, Verdict, View};
use crate::{children::Key, finding::Part, names};

pub(super) fn judge(view: View<'_>) -> Verdict {
    if let Some(finding) = view.finding(Part::Credentials) {
        return Verdict::finding(CredentialsValid, finding);
    }
    if view.stack.credentials().is_none() {
        let message = "A SQLite file has no login";
        return Verdict::new(CredentialsValid, Status::True, Reason::NotNeeded, message);
    }
    if !view.stack.line_ends.is_empty() {
        let message = format!(
            "{} ends in a line end, which is left out: echo adds one before base64, printf does not",
            view.stack.line_ends.join(", and ")
        );
        return Verdict::new(CredentialsValid, Status::True, Reason::TrailingNewline, message);
    }
    let secret = names::app_secret(&view.stack.name);
    if view.observed.children.contains(&Key::of::<Secret>(secret.clone())) {
        let message = format!("Secret {secret} holds the login");
        return Verdict::new(CredentialsValid, Status::True, Reason::AsExpected, message);
    }
    Verdict::new(
        CredentialsValid,
        Status::Unknown,
        Reason::Progressing,
        format!("Secret {secret} is being made"),
    )
}
