//! The one table of managed resources: the kinds that the operator writes, and the objects of each stack.
//! What an object holds lives in its file of `resources/`; watches, caches, apply, the chart's rights and the
//! plugin's tree follow this table.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};
use strum::IntoEnumIterator as _;

pub use self::{inventory::Inventory, key::Key};
use crate::{
    names,
    requirements::{DISRUPTION_BUDGET_FROM, Requirements},
    stack_ref::StackRef,
};

#[macro_use]
mod table;
mod inventory;
mod key;

pub trait ManagedKind:
    Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    const KIND: Kind;

    /// Drops what nothing reads, so that caches stay small.
    fn prune(&mut self);

    fn select(objects: &mut ManagedObjects) -> &mut Vec<Arc<Self>>;
}

/// Visits each kind of the table by its type.
pub trait KindVisitor {
    /// A kind whose objects live in a namespace.
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self);
    /// A kind whose objects belong to the cluster.
    fn cluster<K: ManagedKind>(&mut self);
}

/// Keys of the managed objects that the spec asks for and whose names follow from it.
pub fn expected(stack: &StackRef, requirements: &Requirements<'_>) -> Vec<Key> {
    ManagedResource::iter()
        .filter_map(|it| Some(Key { kind: it.kind(), name: it.expected_name(stack, requirements)? }))
        .collect()
}

/// Keys of all data and credentials that a stack may have. They have no owner reference: under
/// `deletionPolicy: Delete`, the operator deletes them.
pub fn data(stack: &StackRef, requirements: &Requirements<'_>) -> Vec<Key> {
    let StackRef { namespace, name, .. } = stack;
    let volume = requirements.export().map(|_| Key::new::<PersistentVolume>(names::volume(namespace, name)));
    let claims = [names::database(name), names::sqlite_claim(name)];
    let secrets = [names::superuser_secret(name), names::app_secret(name), names::next_secret(name)];
    claims
        .map(Key::new::<PersistentVolumeClaim>)
        .into_iter()
        .chain(volume)
        .chain(secrets.map(Key::new::<Secret>))
        .collect()
}

/// `get` finds objects that the caches lack; `list` and `watch` fill the caches; `create` and `patch` apply.
/// `delete` removes what an edit or the deletion of a stack makes superfluous; OpenShift also requires it for
/// restoring an owner reference (admission plugin OwnerReferencesPermissionEnforcement).
const ALL: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

// field of a listing: type, scope, verbs that the operator uses, what caches drop beside metadata that
// nothing reads
kinds! {
    secrets: core::v1::Secret, namespaced, ALL, |_| {};
    service_accounts: core::v1::ServiceAccount, namespaced, ALL, |it| {
        it.image_pull_secrets = None;
        it.secrets = None;
    };
    services: core::v1::Service, namespaced, ALL, |it| it.spec = None;
    claims: core::v1::PersistentVolumeClaim, namespaced, ALL, |_| {};
    volumes: core::v1::PersistentVolume, cluster, ALL, |_| {};
    stateful_sets: apps::v1::StatefulSet, namespaced, ALL, |it| it.spec = None;
    jobs: batch::v1::Job, namespaced, ALL, |it| it.spec = None;
    deployments: apps::v1::Deployment, namespaced, ALL, crate::prune::deployment;
    ingresses: networking::v1::Ingress, namespaced, ALL, |it| it.spec = None;
    disruption_budgets: policy::v1::PodDisruptionBudget, namespaced, ALL, |it| it.spec = None;
}

// resource in its file of `resources/`: kind, part that it shows, component label
//
// In the order of apply. What pods need comes before them: a pod that finds its Secret, account and claim
// starts without a retry. `name` is none where the spec does not ask for the object, or does not determine
// its name.
resources! {
    ServiceAccount in service_account: ServiceAccount, Api, Api {
        name: |stack, _| Some(names::service_account(&stack.name)),
        needs: [],
    }
    SuperuserSecret in superuser_secret: Secret, Credentials, Database {
        name: |stack, spec| spec.is_postgres().then(|| names::superuser_secret(&stack.name)),
        needs: [],
    }
    AppSecret in app_secret: Secret, Credentials, Database {
        name: |stack, spec| (!spec.is_sqlite()).then(|| names::app_secret(&stack.name)),
        needs: [],
    }
    // Exists only while the credentials change.
    NextSecret in next_secret: Secret, Credentials, Database {
        name: |_, _| None,
        needs: [],
    }
    PostgresVolume in postgres_volume: PersistentVolume, Storage, Database {
        name: |stack, spec| spec.export().map(|_| names::volume(&stack.namespace, &stack.name)),
        needs: [],
    }
    PostgresClaim in postgres_claim: PersistentVolumeClaim, Storage, Database {
        name: |stack, spec| spec.is_postgres().then(|| names::database(&stack.name)),
        needs: [PostgresVolume],
    }
    SqliteClaim in sqlite_claim: PersistentVolumeClaim, Storage, Database {
        name: |stack, spec| spec.is_sqlite().then(|| names::sqlite_claim(&stack.name)),
        needs: [],
    }
    PostgresService in postgres_service: Service, Database, Database {
        name: |stack, spec| spec.is_postgres().then(|| names::database(&stack.name)),
        needs: [],
    }
    PostgresStatefulSet in postgres_stateful_set: StatefulSet, Database, Database {
        name: |stack, spec| spec.is_postgres().then(|| names::database(&stack.name)),
        needs: [ServiceAccount, SuperuserSecret, PostgresClaim, PostgresService],
    }
    MigrationJob in migration_job: Job, Migrations, Migration {
        name: |_, _| None,
        needs: [ServiceAccount, SuperuserSecret, AppSecret, NextSecret, SqliteClaim, PostgresService],
    }
    ApiService in api_service: Service, Exposure, Api {
        name: |stack, _| Some(names::api(&stack.name)),
        needs: [],
    }
    ApiDeployment in api_deployment: Deployment, Api, Api {
        name: |stack, _| Some(names::api(&stack.name)),
        needs: [ServiceAccount, AppSecret, SqliteClaim, PostgresService],
    }
    ApiDisruptionBudget in api_disruption_budget: PodDisruptionBudget, Api, Api {
        name: |stack, spec| (spec.replicas >= DISRUPTION_BUDGET_FROM).then(|| names::api(&stack.name)),
        needs: [],
    }
    ApiIngress in api_ingress: Ingress, Exposure, Exposure {
        name: |stack, spec| spec.ingress.then(|| names::ingress(&stack.name)),
        needs: [ApiService],
    }
}
