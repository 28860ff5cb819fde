//! Step 6: the status. `publish` writes it where it differs.

use jiff::Timestamp;
use todostack_crds::{
    TodoStackStatus,
    status::{ApiStatus, DatabaseStatus, StorageStatus},
};

use crate::{
    conditions::{self, Verdict, View},
    labels::{self, Component},
    observed::{Observed, claim},
    part::Part,
    stack::{Database, Stack},
};

/// What the new status is merged with.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    pub status: &'a TodoStackStatus,
    /// The current time, for conditions that change.
    pub now: Timestamp,
}

/// The status to publish.
pub fn status(view: View<'_>, verdicts: &[Verdict], before: Before<'_>) -> TodoStackStatus {
    let Before { status: old, now } = before;
    let generation = view.stack.id.generation;
    TodoStackStatus {
        observed_generation: Some(generation),
        conditions: conditions::merge(&old.conditions, verdicts, generation, now),
        url: Some(url(view)),
        api: Some(api(view.stack, view.observed)),
        selector: Some(selector(view.stack)),
        database: Some(database(view.stack)),
        storage: storage(view, old.storage.as_ref()),
        migrations: view.stack.migration.completed.clone(),
        operator: old.operator.clone(),
    }
}

fn url(view: View<'_>) -> String {
    let exposure = &view.stack.exposure;
    let is_given = exposure.ingress.is_some() || exposure.public_url.is_some();
    let balanced = !is_given && exposure.service_type == "LoadBalancer";
    conditions::balancer_address(view)
        .filter(|_| balanced)
        .map_or_else(|| exposure.url.clone(), |address| format!("http://{address}/todos"))
}

fn api(stack: &Stack, observed: &Observed) -> ApiStatus {
    let status = observed.deployment.as_ref().and_then(|deployment| deployment.status.as_ref());
    let ready_replicas = status.and_then(|status| status.ready_replicas).unwrap_or_default();
    ApiStatus {
        replicas: status.and_then(|status| status.replicas).unwrap_or_default(),
        ready_replicas,
        ready: format!("{ready_replicas}/{}", stack.api.replicas),
        image: stack.api.release.image.clone(),
    }
}

fn selector(stack: &Stack) -> String {
    let labels = labels::selector_labels(stack, Component::Api);
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

fn database(stack: &Stack) -> DatabaseStatus {
    match &stack.database {
        Database::Postgres(postgres) => DatabaseStatus {
            version: format!("postgres {}", postgres.version),
            host: Some(postgres.host.clone()),
            // While the volume may not be used, fields that a database fixes can still be corrected.
            system_identifier: postgres
                .system_identifier
                .clone()
                .filter(|_| !stack.is_blocked(Part::Storage)),
        },
        Database::External(external) => DatabaseStatus {
            version: "external".to_owned(),
            host: external.credentials.app.as_ref().map(|login| login.host.clone()),
            system_identifier: None,
        },
        Database::Sqlite(_) => DatabaseStatus { version: "sqlite".to_owned(), ..DatabaseStatus::default() },
    }
}

/// While the claim is not bound, its volume is still the one of before, to which a new claim is bound.
fn storage(view: View<'_>, old: Option<&StorageStatus>) -> Option<StorageStatus> {
    let existing = view.observed.claim.as_deref();
    let claim = view.stack.volume()?.claim.clone();
    let old = old.filter(|old| old.claim == claim);
    let volume = existing.and_then(claim::volume).or_else(|| old?.volume.as_deref()).map(str::to_owned);
    let size = existing.and_then(claim::bound_size).or_else(|| old?.size.as_deref()).map(str::to_owned);
    Some(StorageStatus { claim, volume, size })
}

#[cfg(test)]
mod tests;
