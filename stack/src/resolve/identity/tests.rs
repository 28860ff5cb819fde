//! The identity of a database: recorded once, kept whatever is lost, given up by the annotation alone.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use rstest::rstest;
use serde_json::json;
use todostack_crds::{TodoStackStatus, status::DatabaseStatus};

use crate::{
    build::{Desired, build},
    credentials::{Change, GeneratedSecrets},
    fixtures::{config, generated, now, todostack},
    managed::{ManagedResource, Object},
    observed::Observed,
    resolve::{Inputs, identity::ACCEPT, resolve},
    stack::{Database, Postgres},
};

/// A stack and what its reconciles have stored: the Secrets and the status.
#[derive(Default)]
struct Life {
    observed: Observed,
    published: Option<String>,
    annotation: Option<&'static str>,
    reconciles: u32,
}

impl Life {
    fn with_database(identifier: &str) -> Self {
        let mut life = Self::default();
        life.reconcile();
        life.migrate(identifier);
        life.reconcile();
        life
    }

    /// Resolves, and stores the Secrets and the status as the operator would.
    fn reconcile(&mut self) -> Postgres {
        self.reconciles += 1;
        let mut todostack = todostack("{}");
        let accepted = self.annotation.map(|value| (ACCEPT.to_owned(), value.to_owned()));
        todostack.metadata.annotations = Some(accepted.into_iter().collect());
        let system_identifier = self.published.clone();
        let database = DatabaseStatus { system_identifier, ..DatabaseStatus::default() };
        todostack.status = Some(TodoStackStatus { database: Some(database), ..TodoStackStatus::default() });
        let generated = GeneratedSecrets { revision: format!("r{}", self.reconciles), ..generated() };
        let config = config();
        let inputs = Inputs {
            observed: &self.observed,
            generated: &generated,
            config: &config,
            rotate: None,
            now: now(),
        };
        let stack = resolve(&todostack, inputs).unwrap();
        for (resource, desired) in build(&stack) {
            match (resource, desired) {
                (ManagedResource::SuperuserSecret, Desired::Apply(Object::Secret(secret))) => {
                    self.observed.superuser = Some(Arc::from(secret));
                }
                (ManagedResource::AppSecret, Desired::Apply(Object::Secret(secret))) => {
                    self.observed.app = Some(Arc::from(secret));
                }
                _ => {}
            }
        }
        let Database::Postgres(postgres) = stack.database else { panic!("no managed server") };
        self.published.clone_from(&postgres.system_identifier);
        *postgres
    }

    /// A migration of this stack on the database with this system identifier.
    fn migrate(&mut self, identifier: &str) {
        let name = format!("shop-migrate-{identifier}");
        let job = json!({"metadata": {"name": name, "uid": name}});
        self.observed.jobs.push(Arc::new(serde_json::from_value(job).unwrap()));
        self.report(identifier);
    }

    /// The pod of a migration that found this system identifier. Its Job may be gone.
    fn report(&mut self, identifier: &str) {
        let message = json!({"systemIdentifier": identifier}).to_string();
        let state = json!({"terminated": {"exitCode": 0, "message": message}});
        let labels = json!({"app.kubernetes.io/component": "migration"});
        let name = format!("shop-migrate-{identifier}");
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": name});
        let container = json!({"name": "roles", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": state});
        let metadata = json!({"labels": labels, "ownerReferences": [owner]});
        let pod = json!({"metadata": metadata, "status": {"initContainerStatuses": [container]}});
        self.observed.pods.push(Arc::new(serde_json::from_value(pod).unwrap()));
    }

    fn key(&self, key: &str) -> Option<String> {
        let secret: &Secret = self.observed.superuser.as_deref().unwrap();
        Some(String::from_utf8(secret.data.as_ref().unwrap().get(key)?.0.clone()).unwrap())
    }
}

fn identifier(postgres: &Postgres) -> Option<&str> {
    postgres.system_identifier.as_deref()
}

fn revisions(postgres: &Postgres) -> [String; 2] {
    let credentials = &postgres.credentials;
    [&credentials.superuser, &credentials.app].map(|login| login.as_ref().unwrap().revision.clone())
}

#[test]
fn the_identifier_that_the_first_migration_finds_is_recorded_and_restarts_nothing() {
    let mut life = Life::default();
    let before = life.reconcile();
    assert_eq!((identifier(&before), life.key("system-identifier")), (None, None));
    life.migrate("73");
    let after = life.reconcile();
    assert_eq!(identifier(&after), Some("73"));
    assert_eq!(life.key("system-identifier").as_deref(), Some("73"));
    assert_eq!(revisions(&before), revisions(&after));
    assert_eq!(revisions(&after), revisions(&life.reconcile()));
}

#[test]
fn what_a_migration_of_an_earlier_stack_found_is_not_recorded() {
    let mut life = Life::default();
    life.report("73");
    assert_eq!(identifier(&life.reconcile()), None);
}

#[rstest]
#[case::the_job(false, true, true)]
#[case::job_and_status(false, false, true)]
#[case::job_and_secret(false, true, false)]
#[case::the_key(true, true, true)]
fn the_identifier_outlives(#[case] key: bool, #[case] status: bool, #[case] secret: bool) {
    let mut life = Life::with_database("73");
    life.observed.pods.clear();
    if key {
        let superuser = Arc::make_mut(life.observed.superuser.as_mut().unwrap());
        superuser.data.as_mut().unwrap().remove("system-identifier");
    }
    if !status {
        life.published = None;
    }
    if !secret {
        life.observed.superuser = None;
    }
    assert_eq!(identifier(&life.reconcile()), Some("73"));
    assert_eq!(life.key("system-identifier").as_deref(), Some("73"));
}

#[test]
fn another_database_that_a_migration_finds_does_not_replace_the_recorded_one() {
    let mut life = Life::with_database("73");
    life.migrate("74");
    assert_eq!(identifier(&life.reconcile()), Some("73"));
}

#[test]
fn a_database_that_is_given_up_stays_so_and_the_next_one_is_migrated_and_recorded() {
    let mut life = Life::with_database("73");
    let before = life.reconcile();
    life.annotation = Some("73");
    let given_up = life.reconcile();
    assert_eq!((identifier(&given_up), life.key("system-identifier")), (None, None));
    // The pod of the database gets the changed Secret, and a new migration runs.
    assert_ne!(revisions(&given_up)[0], revisions(&before)[0]);
    assert_ne!(revisions(&given_up)[1], revisions(&before)[1]);
    assert_eq!(given_up.credentials.change, Change::Pending { replaces: None });
    // Neither the status of before nor the old migration brings it back, even without the annotation.
    life.annotation = None;
    life.published = Some("73".to_owned());
    assert_eq!(identifier(&life.reconcile()), None);
    life.migrate("74");
    let next = life.reconcile();
    assert_eq!(identifier(&next), Some("74"));
    assert_eq!(revisions(&next)[0], revisions(&given_up)[0]);
    life.observed.pods.clear();
    assert_eq!(identifier(&life.reconcile()), Some("74"));
}

#[rstest]
#[case::of_another_database(Some("72"))]
#[case::empty(Some(""))]
fn another_value_of_the_annotation_changes_nothing(#[case] annotation: Option<&'static str>) {
    let mut life = Life::with_database("73");
    let before = life.reconcile();
    life.annotation = annotation;
    let after = life.reconcile();
    assert_eq!((identifier(&after), revisions(&after)), (Some("73"), revisions(&before)));
}
