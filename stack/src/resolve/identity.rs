//! Which database a managed server has: the system identifier that `initdb` gave it. A volume that is empty
//! or holds another database is not used in its place, unless the user gives the database up.

use kube::ResourceExt as _;
use serde::Deserialize;
use todostack_crds::TodoStack;

use crate::{
    observed::Observed,
    resources::{login_secret, migration_job, superuser_secret},
};

/// Annotation of a stack: the system identifier of a database that the user gives up, so that an empty
/// volume, or one with another database, is accepted once.
pub const ACCEPT: &str = "todostack.dev/accept-new-volume";

/// The identity of the database of a managed server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The system identifier. None before the first migration, and after the database was given up.
    pub(super) current: Option<String>,
    /// That of the database that was given up last. Empty if there is none.
    pub(super) given_up: String,
}

impl Identity {
    /// The Secret of the superuser outlives the stack, as the volume does, and the status outlives the
    /// Secret.
    pub(super) fn new(todostack: &TodoStack, observed: &Observed) -> Self {
        let secret = observed.superuser.as_deref();
        let given_up = secret.map(|secret| login_secret::read(secret).login.given_up).unwrap_or_default();
        let published = todostack.status.as_ref().and_then(|status| status.database.as_ref());
        let known = [
            published.and_then(|database| database.system_identifier.clone()),
            secret.and_then(superuser_secret::system_identifier),
            reported(observed),
        ];
        let current = known.into_iter().flatten().find(|known| *known != given_up);
        match (todostack.annotations().get(ACCEPT), current) {
            (Some(accepted), Some(current)) if *accepted == current => {
                Self { current: None, given_up: current }
            }
            (_, current) => Self { current, given_up },
        }
    }
}

/// Termination message of the init container that creates the roles.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    system_identifier: String,
}

/// The system identifier that a migration of this stack found: the pods of an earlier stack of its name can
/// still be there.
fn reported(observed: &Observed) -> Option<String> {
    let pods = observed.jobs.iter().flat_map(|job| migration_job::pods_of(job, &observed.pods));
    let containers = pods.filter_map(|pod| pod.status.as_ref()?.init_container_statuses.as_ref()).flatten();
    let messages = containers
        .filter(|container| container.name == migration_job::ROLES)
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.message.as_deref());
    let reports = messages.filter_map(|message| serde_json::from_str::<Report>(message.trim()).ok());
    reports.map(|report| report.system_identifier).last()
}

#[cfg(test)]
mod tests;
