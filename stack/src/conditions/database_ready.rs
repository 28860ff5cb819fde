//! `DatabaseReady`: the server accepts connections.

use todostack_crds::{ConditionType::DatabaseReady, Reason};

use super::{Status, Verdict, View};
use crate::{names, part::Part, stack::Database};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    if let Some(finding) = view.finding(Part::Database) {
        return Verdict::finding(DatabaseReady, finding);
    }
    match &view.stack.database {
        Database::Sqlite(_) => {
            Verdict::new(DatabaseReady, Status::True, Reason::NotNeeded, "SQLite needs no server")
        }
        Database::External(_) if view.stack.migration.is_done => Verdict::new(
            DatabaseReady,
            Status::True,
            Reason::AsExpected,
            "The external database accepts the credentials",
        ),
        Database::External(_) => {
            let message = "The migration has not connected to the external database yet";
            Verdict::new(DatabaseReady, Status::Unknown, Reason::WaitingForDependency, message)
        }
        Database::Postgres(_) => managed(view),
    }
}

fn managed(view: View<'_>) -> Verdict {
    let name = names::database(&view.stack.id.name);
    let status = view.observed.stateful_set.as_ref().and_then(|set| set.status.as_ref());
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() > 0 {
        if let Some(warning) = view.warning(Part::Database) {
            return Verdict::finding(DatabaseReady, warning);
        }
        let message = format!("StatefulSet {name} accepts connections");
        return Verdict::new(DatabaseReady, Status::True, Reason::AsExpected, message);
    }
    if view.finding(Part::Storage).is_some() {
        let message = format!("StatefulSet {name} waits for its volume");
        return Verdict::new(DatabaseReady, Status::False, Reason::WaitingForDependency, message);
    }
    Verdict::new(DatabaseReady, Status::False, Reason::Progressing, format!("StatefulSet {name} is starting"))
}
