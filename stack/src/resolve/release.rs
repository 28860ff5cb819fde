//! Which image and credentials the API's pods may run with: the wanted ones once their migration is done, and until
//! then those that already serve. So a failing migration never takes a serving pod away.

use kube::ResourceExt as _;

use crate::{
    names,
    observed::Observed,
    resources::{api_deployment, migration_job},
    stack::{Database, Release},
};

/// What the pods' template may carry now.
pub(super) fn release(image: &str, database: &Database, stack: &str, observed: &Observed) -> Release {
    let login = match database {
        Database::Postgres(postgres) => postgres.credentials.app.as_ref(),
        Database::External(external) => external.credentials.app.as_ref(),
        // The API migrates its own file before it serves.
        Database::Sqlite(_) => return Release { image: image.to_owned(), revision: String::new() },
    };
    let wanted = login.map(|login| Release { image: image.to_owned(), revision: login.revision.clone() });
    let running = observed.deployment.as_deref().and_then(api_deployment::released);
    match (wanted, running) {
        (Some(wanted), Some(running)) if !migrated(&wanted, stack, observed) => running,
        (Some(wanted), _) => wanted,
        (None, Some(running)) => running,
        (None, None) => Release { image: image.to_owned(), revision: String::new() },
    }
}

fn migrated(release: &Release, stack: &str, observed: &Observed) -> bool {
    let name = names::migration(stack, &release.image, &release.revision);
    observed.jobs.iter().any(|job| job.name_any() == name && migration_job::complete(job))
}

#[cfg(test)]
mod tests;
