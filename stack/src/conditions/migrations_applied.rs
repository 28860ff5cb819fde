//! `MigrationsApplied`: the schema is the one that the desired API image needs.

use todostack_crds::{ConditionType::MigrationsApplied, Reason};

use super::{Status, Verdict, View};
use crate::part::Part;

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    let Some(credentials) = view.stack.credentials() else {
        if !view.stack.migration.is_done {
            return trial(view);
        }
        let message = "The API migrates its SQLite file when it starts";
        return Verdict::new(MigrationsApplied, Status::True, Reason::NotNeeded, message);
    };
    let migration = &view.stack.migration;
    if migration.is_done {
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
    let message = if migration.is_contradicted {
        "The API pods report that the database lacks the schema, or denies access: the migration runs again"
    } else {
        "The migration has not completed yet"
    };
    Verdict::new(MigrationsApplied, Status::False, Reason::Progressing, message)
}

/// Of an image that a SQLite file is not served by yet.
fn trial(view: View<'_>) -> Verdict {
    if let Some(finding) = view.finding(Part::Migrations) {
        return Verdict::finding(MigrationsApplied, finding);
    }
    let message = format!("Image {} is tried on a copy of the SQLite file", view.stack.api.image);
    Verdict::new(MigrationsApplied, Status::False, Reason::Progressing, message)
}
