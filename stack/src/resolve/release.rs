//! The image and credentials of the API's pods: the desired ones once their migration is complete, until then
//! those that already run. So a failing migration never removes a serving pod.

use crate::{
    observed::Observed,
    resources::{api_deployment, migration_job},
    stack::{Database, Release},
};

/// The release that the pods' template may have now.
pub(super) fn release(image: &str, database: &Database, stack: &str, observed: &Observed) -> Release {
    let login = match database {
        Database::Postgres(postgres) => postgres.credentials.app.as_ref(),
        Database::External(external) => external.credentials.app.as_ref(),
        // The API migrates its own file before it serves.
        Database::Sqlite(_) => return Release { image: image.to_owned(), revision: String::new() },
    };
    let desired = login.map(|login| Release { image: image.to_owned(), revision: login.revision.clone() });
    let running = observed.deployment.as_deref().and_then(api_deployment::released);
    match (desired, running) {
        (Some(desired), Some(running))
            if !migration_job::is_migrated(&observed.jobs, stack, &desired.image, &desired.revision) =>
        {
            running
        }
        (Some(desired), _) => desired,
        (None, Some(running)) => running,
        (None, None) => Release { image: image.to_owned(), revision: String::new() },
    }
}

#[cfg(test)]
mod tests;
