//! Step 3: the objects that a `Stack` should have, each from its room. Pure; `apply` decides nothing about content.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{PersistentVolume, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
};

use crate::{
    finding::Part,
    names,
    resources::{
        api_deployment, api_ingress, api_service, login_secret, migration_job, postgres_claim,
        postgres_service, postgres_stateful_set, postgres_volume, service_account, sqlite_claim,
    },
    stack::{Database, Stack},
};

/// What is to become of one child.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish<K> {
    /// It is to be like this.
    Apply(Box<K>),
    /// It stays as it is, there or not: what it needs is missing, or this kind of stack has none.
    Leave,
    /// It is to go.
    Remove(String),
}

impl<K> Wish<K> {
    fn some(object: Option<K>) -> Self {
        object.map_or(Self::Leave, |object| Self::Apply(Box::new(object)))
    }

    fn unless(blocked: bool, object: K) -> Self {
        if blocked { Self::Leave } else { Self::Apply(Box::new(object)) }
    }
}

/// All children of a stack.
#[derive(Clone, Debug)]
pub struct Resources {
    /// The pods' account.
    pub service_account: Wish<ServiceAccount>,
    /// The superuser's login.
    pub superuser_secret: Wish<Secret>,
    /// The application's login.
    pub app_secret: Wish<Secret>,
    /// The volume of an NFS export.
    pub volume: Wish<PersistentVolume>,
    /// The claim.
    pub claim: Wish<PersistentVolumeClaim>,
    /// The database's name.
    pub database_service: Wish<Service>,
    /// The database.
    pub stateful_set: Wish<StatefulSet>,
    /// The migration.
    pub migration: Wish<Job>,
    /// The API's Service.
    pub api_service: Wish<Service>,
    /// The API.
    pub deployment: Wish<Deployment>,
    /// The way in.
    pub ingress: Wish<Ingress>,
}

/// Calls each room once.
#[must_use]
pub fn build(stack: &Stack) -> Resources {
    let blocked = |part| stack.blockers.iter().any(|finding| finding.part == part);
    let login = stack.credentials();
    let secret = |name: String, login: Option<&_>| {
        Wish::some(login.map(|login| login_secret::build(stack, name, login)))
    };
    let (volume, claim, database_service, stateful_set) = match &stack.database {
        Database::Postgres(postgres) if !blocked(Part::Storage) => (
            Wish::some(postgres_volume::build(stack, &postgres.volume)),
            Wish::Apply(Box::new(postgres_claim::build(stack, postgres))),
            Wish::Apply(Box::new(postgres_service::build(stack))),
            Wish::unless(blocked(Part::Database), postgres_stateful_set::build(stack, postgres)),
        ),
        Database::Sqlite(sqlite) => {
            (Wish::Leave, Wish::Apply(Box::new(sqlite_claim::build(stack, sqlite))), Wish::Leave, Wish::Leave)
        }
        Database::Postgres(_) | Database::External(_) => (Wish::Leave, Wish::Leave, Wish::Leave, Wish::Leave),
    };
    Resources {
        service_account: Wish::Apply(Box::new(service_account::build(stack))),
        superuser_secret: secret(
            names::superuser_secret(&stack.name),
            login.and_then(|credentials| credentials.superuser.as_ref()),
        ),
        app_secret: secret(
            names::app_secret(&stack.name),
            login.and_then(|credentials| credentials.app.as_ref()),
        ),
        volume,
        claim,
        database_service,
        stateful_set,
        migration: Wish::some(migration_job::build(stack).filter(|_| !blocked(Part::Storage))),
        api_service: Wish::Apply(Box::new(api_service::build(stack))),
        deployment: deployment(stack),
        ingress: api_ingress::build(stack).map_or_else(
            || Wish::Remove(names::ingress(&stack.name)),
            |ingress| Wish::Apply(Box::new(ingress)),
        ),
    }
}

/// Without a login the pods could not even be created; those that run go on.
fn deployment(stack: &Stack) -> Wish<Deployment> {
    let no_login = stack.credentials().is_some_and(|credentials| credentials.app.is_none());
    Wish::unless(no_login, api_deployment::build(stack))
}

#[cfg(test)]
mod tests;
