//! Step 2: spec and observed state become a `Stack`: defaults are set, credentials are found, and what is
//! wrong with the spec or its references becomes a finding.

use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{ResourceRequirements, TopologySpreadConstraint},
    apimachinery::pkg::api::resource::Quantity,
};
use strum::IntoEnumIterator as _;
use todostack_crds::{
    ConditionType, TodoStack,
    api::ApiSpec,
    database::DatabaseSpec,
    pods::PodSettings,
    spec::TodoStackSpec,
    sqlite::{SqliteSpec, SqliteStorage},
};

use self::identity::Identity;
use crate::{
    config::Config,
    credentials::{Credentials, GeneratedSecrets},
    finding::Finding,
    maintenance, names,
    observed::Observed,
    requirements::Requirements,
    stack::{Api, Database, External, Release, Sqlite, Stack, VolumeSource},
    stack_ref::{Incomplete, StackRef},
    upgrade::Upgrade,
};

mod change;
mod connections;
mod export;
mod exposure;
pub mod identity;
mod jwks_ca;
mod login;
mod migration;
mod postgres;
mod release;
pub mod rotation;
mod storage;
mod user_secret;

/// Inputs beside the spec.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub observed: &'a Observed,
    /// Random values for credentials that are new or change.
    pub generated: &'a GeneratedSecrets,
    pub config: &'a Config,
    /// The rotation that is due (`rotation::due`).
    pub rotate: Option<&'a str>,
    pub now: Timestamp,
}

/// The stack, and the database that it had.
struct Subject<'a> {
    id: &'a StackRef,
    identity: Identity,
    /// Whether a migration has completed, so that the server accepts some credentials.
    is_migrated: bool,
}

/// Resolves a stack.
///
/// # Errors
/// The `TodoStack` lacks metadata that every stored object has.
pub fn resolve(todostack: &TodoStack, inputs: Inputs<'_>) -> Result<Stack, Incomplete> {
    let TodoStackSpec { paused, deletion_policy: _, api: _, database, exposure, page: _ } = &todostack.spec;
    let id = StackRef::try_from(todostack)?;
    let mut findings: Vec<_> = maintenance::finding(todostack).into_iter().collect();
    let is_migrated = todostack.status.as_ref().is_some_and(|status| status.migrations.is_some());
    let subject = Subject { id: &id, identity: Identity::new(todostack, inputs.observed), is_migrated };
    let database = resolve_database(database.as_ref(), &subject, inputs, &mut findings);
    let image = todostack.spec.api.as_ref().and_then(|api| api.image.clone());
    let image = image.unwrap_or_else(|| inputs.config.api_image.clone());
    let migration = migration::migration(&image, database.credentials(), todostack, inputs);
    let release = release::release(&image, &database, &migration, inputs.observed);
    findings.extend(jwks_ca::finding(&id, inputs.observed));
    let mut api = resolve_api(todostack, image, release, inputs.observed);
    api.connections = connections::per_pod(&database, api.replicas, &id, &mut findings);
    Ok(Stack {
        exposure: exposure::resolve(exposure.as_ref(), &id, inputs, &mut findings),
        id,
        paused: *paused,
        api,
        database,
        migration,
        upgrade: Upgrade::new(todostack, inputs.observed, inputs.config),
        findings,
        false_since: false_since(todostack),
    })
}

fn false_since(todostack: &TodoStack) -> Vec<(ConditionType, Timestamp)> {
    let conditions = todostack.status.iter().flat_map(|status| &status.conditions);
    conditions
        .filter(|condition| condition.status == "False")
        .filter_map(|condition| {
            let known = ConditionType::iter().find(|known| known.as_str() == condition.type_)?;
            Some((known, condition.last_transition_time.0))
        })
        .collect()
}

fn resolve_database(
    spec: Option<&DatabaseSpec>,
    subject: &Subject<'_>,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Database {
    let id = subject.id;
    let default = DatabaseSpec::default();
    let DatabaseSpec { postgres, external, sqlite } = spec.unwrap_or(&default);
    if let Some(SqliteSpec { storage }) = sqlite {
        let SqliteStorage { size, storage_class_name } = storage.clone().unwrap_or_default();
        let source = VolumeSource::Class(storage_class_name);
        let wanted = storage::Wanted { claim: names::sqlite_claim(&id.name), size, source };
        let volume = storage::resolve(wanted, id, inputs, findings);
        return Database::Sqlite(Box::new(Sqlite { volume }));
    }
    if external.is_some() {
        let app = login::external(id, inputs, findings);
        let change = app.as_ref().map(|app| change::change(app, false, inputs.observed)).unwrap_or_default();
        return Database::External(Box::new(External {
            credentials: Credentials { superuser: None, app, change },
        }));
    }
    let postgres = postgres.clone().unwrap_or_default();
    Database::Postgres(Box::new(postgres::resolve(postgres, subject, inputs, findings)))
}

fn resolve_api(todostack: &TodoStack, image: String, release: Release, observed: &Observed) -> Api {
    let ApiSpec {
        image: _,
        image_pull_policy,
        // `Requirements` has them.
        replicas: _,
        resources,
        log_level,
        cors,
        rate_limit,
        auth,
        pods,
    } = todostack.spec.api.clone().unwrap_or_default();
    Api {
        release,
        image,
        image_pull_policy: image_pull_policy.into(),
        replicas: Requirements::from(&todostack.spec).scaled(observed).replicas,
        autoscaled: observed.autoscaled,
        resources: resources.unwrap_or_else(|| requests("10m", "32Mi", Some("128Mi"))),
        log_level: log_level.into(),
        allowed_origins: cors.map(|cors| cors.allowed_origins).unwrap_or_default(),
        rate_limit,
        jwt: auth.map(|auth| auth.jwt),
        has_page: todostack.spec.page.unwrap_or_default().enabled,
        connections: None,
        pods: PodSettings {
            topology_spread_constraints: pods
                .topology_spread_constraints
                .or_else(|| Some(vec![one_per_node()])),
            ..pods
        },
    }
}

/// API pods spread over nodes where there are enough, so that a node that fails takes one of them. Only pods
/// of one template count: during a rollout, the old ones are about to go.
fn one_per_node() -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew: 1,
        topology_key: "kubernetes.io/hostname".to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        match_label_keys: Some(vec!["pod-template-hash".to_owned()]),
        ..TopologySpreadConstraint::default()
    }
}

/// Requests and an optional memory limit. There is no CPU limit: it would throttle start and recovery.
fn requests(cpu: &str, memory: &str, limit: Option<&str>) -> ResourceRequirements {
    let quantity = |name: &str, value: &str| (name.to_owned(), Quantity(value.to_owned()));
    ResourceRequirements {
        requests: Some([quantity("cpu", cpu), quantity("memory", memory)].into()),
        limits: limit.map(|limit| [quantity("memory", limit)].into()),
        ..ResourceRequirements::default()
    }
}
