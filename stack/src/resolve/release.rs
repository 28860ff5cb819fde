//! The image and credentials of the API's pods: the desired ones once their migration is complete, until then
//! those that already run, or else those that were migrated last. So a failing migration never removes a
//! serving pod.

use super::migration;
use crate::{
    observed::Observed,
    resources::api_deployment,
    stack::{Database, Migration, Release},
};

/// The release that the pods' template may have now.
pub(super) fn release(
    image: &str,
    database: &Database,
    migration: &Migration,
    observed: &Observed,
) -> Release {
    // The API migrates its own file before it serves.
    let Some(credentials) = database.credentials() else {
        let running = observed.deployment.as_deref().and_then(api_deployment::released);
        let running = running.filter(|_| !migration.is_done);
        return running.unwrap_or_else(|| Release { image: image.to_owned(), revision: String::new() });
    };
    let desired = credentials
        .app
        .as_ref()
        .map(|login| Release { image: image.to_owned(), revision: login.revision.clone() });
    // A Deployment that was deleted comes back with the schema that there is.
    let migrated = || {
        let completed = migration.completed.as_ref()?;
        Some(Release { image: completed.image.clone(), revision: migration::revision(completed).to_owned() })
    };
    let running = observed.deployment.as_deref().and_then(api_deployment::released).or_else(migrated);
    match (desired, running) {
        (Some(_), Some(running)) if !migration.is_done => running,
        (Some(desired), _) => desired,
        (None, Some(running)) => running,
        (None, None) => Release { image: image.to_owned(), revision: String::new() },
    }
}

#[cfg(test)]
mod tests;
