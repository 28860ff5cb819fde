//! `MigrationsApplied`: the schema is the one that the desired API image needs.

use todostack_crds::{ConditionType::MigrationsApplied, Reason};

use super::{Status, Verdict, View};
use crate::{part::Part, resources::migration_job, stack::Stack};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    let Some(credentials) = view.stack.credentials() else {
        let message = "The API migrates its SQLite file when it starts";
        return Verdict::new(MigrationsApplied, Status::True, Reason::NotNeeded, message);
    };
    if is_done(view) {
        let message = format!("The schema is that of image {}", view.stack.api.image);
        return Verdict::new(MigrationsApplied, Status::True, Reason::AsExpected, message);
    }
    if let Some(finding) = view.finding(Part::Migrations) {
        return Verdict::finding(MigrationsApplied, finding);
    }
    if credentials.app.is_none() {
        let message = "The migration waits for the credentials";
        return Verdict::new(MigrationsApplied, Status::False, Reason::WaitingForDependency, message);
    }
    // Without its name, which changes at every reconcile until the credentials are stored.
    let message = "The migration Job has not completed yet";
    Verdict::new(MigrationsApplied, Status::False, Reason::Progressing, message)
}

/// Whether the Job of the desired image is complete.
pub(super) fn is_done(view: View<'_>) -> bool {
    let Some(login) = view.stack.credentials().and_then(|credentials| credentials.app.as_ref()) else {
        return false;
    };
    let Stack { id, api, .. } = view.stack;
    migration_job::is_migrated(&view.observed.jobs, &id.name, &api.image, &login.revision)
}
