//! The course of a change of credentials, reconcile by reconcile.

use std::sync::Arc;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use rstest::rstest;
use todostack_crds::{TodoStackStatus, status::MigrationStatus};

use super::*;
use crate::{
    build::Desired,
    credentials::GeneratedSecrets,
    fixtures::{config, generated, now, todostack},
    managed::{ManagedResource, Object},
    names,
    observed::Lookup,
    resolve::{Inputs, resolve},
};

/// A stack whose credentials change, reconcile by reconcile: each step resolves what the steps before stored.
struct Life {
    spec: &'static str,
    observed: Observed,
    rotate: Option<&'static str>,
    draws: u32,
    memory: Option<MigrationStatus>,
    /// Jobs that were created.
    jobs: usize,
    /// Whether something deletes Jobs when they have finished.
    is_tidied: bool,
}

impl Life {
    fn new() -> Self {
        Self {
            spec: "{}",
            observed: Observed::default(),
            rotate: None,
            draws: 0,
            memory: None,
            jobs: 0,
            is_tidied: false,
        }
    }

    fn with_generated_credentials() -> Self {
        Self::with_jobs_that_stay(true)
    }

    fn with_jobs_that_stay(stay: bool) -> Self {
        let mut life = Self { is_tidied: !stay, ..Self::new() };
        life.reconcile();
        life.complete_job();
        life.roll_out();
        // The status remembers the migration.
        life.reconcile();
        life
    }

    /// Resolves, and stores the Secrets and the Deployment as `apply` would.
    fn reconcile(&mut self) {
        self.draws += 1;
        let generated = GeneratedSecrets {
            revision: format!("revision-{}", self.draws),
            app_password: format!("password-{}", self.draws),
            ..generated()
        };
        let config = config();
        let inputs = Inputs {
            observed: &self.observed,
            generated: &generated,
            config: &config,
            rotate: self.rotate,
            now: now(),
        };
        let mut todostack = todostack(self.spec);
        let migrations = self.memory.clone();
        todostack.status = Some(TodoStackStatus { migrations, ..TodoStackStatus::default() });
        let stack = resolve(&todostack, inputs).unwrap();
        self.memory.clone_from(&stack.migration.completed);
        if self.is_tidied {
            self.observed.jobs.retain(|job| !migration_job::finished(job));
        }
        for (resource, desired) in crate::build::build(&stack) {
            match (resource, desired) {
                (ManagedResource::AppSecret, Desired::Apply(Object::Secret(secret))) => {
                    self.observed.app = Some(Arc::from(secret));
                }
                (ManagedResource::NextSecret, Desired::Apply(Object::Secret(secret))) => {
                    self.observed.next = Some(Arc::from(secret));
                }
                (ManagedResource::NextSecret, Desired::Delete(_)) => self.observed.next = None,
                (ManagedResource::ApiDeployment, Desired::Apply(Object::Deployment(mut deployment))) => {
                    deployment.status = self.observed.deployment.as_ref().and_then(|it| it.status.clone());
                    self.observed.deployment = Some(Arc::from(deployment));
                }
                (ManagedResource::MigrationJob, Desired::Apply(Object::Job(job)))
                    if !self.observed.jobs.iter().any(|it| it.metadata.name == job.metadata.name) =>
                {
                    self.observed.jobs.push(Arc::from(job));
                    self.jobs += 1;
                }
                (ManagedResource::MigrationJob, Desired::Delete(key)) => {
                    self.observed.jobs.retain(|job| job.name_any() != key.name);
                }
                _ => {}
            }
        }
    }

    fn complete_job(&mut self) {
        for job in &mut self.observed.jobs {
            let complete = serde_json::json!({"conditions": [{"type": "Complete", "status": "True"}]});
            Arc::make_mut(job).status = Some(serde_json::from_value(complete).unwrap());
        }
    }

    fn roll_out(&mut self) {
        let status = serde_json::json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2});
        let deployment = Arc::make_mut(self.observed.deployment.as_mut().unwrap());
        deployment.status = Some(serde_json::from_value(status).unwrap());
    }

    fn pods_read(&self) -> String {
        login_secret::read(self.observed.app.as_ref().unwrap()).login.username
    }

    fn job_secrets(&self) -> Vec<String> {
        let text = serde_json::to_string(self.observed.jobs.last().unwrap().as_ref()).unwrap();
        let names = [names::app_secret("shop"), names::next_secret("shop")];
        names.into_iter().filter(|name| text.contains(&format!("\"{name}\""))).collect()
    }
}

#[rstest]
fn a_rotation_reaches_pods_after_the_server_and_closes_the_earlier_login_after_the_pods(
    #[values(true, false)] finished_jobs_stay: bool,
) {
    let mut life = Life::with_jobs_that_stay(finished_jobs_stay);
    life.rotate = Some("1");
    for _ in 0..2 {
        life.reconcile();
        assert_eq!((life.pods_read().as_str(), life.jobs), ("todo", 2), "the Job is created once");
        assert_eq!(life.job_secrets(), [names::next_secret("shop")]);
    }
    life.complete_job();
    let deployment = Arc::make_mut(life.observed.deployment.as_mut().unwrap());
    deployment.status = None;
    for _ in 0..2 {
        life.reconcile();
        assert_eq!((life.pods_read().as_str(), life.jobs), ("todo_b", 2));
        assert!(life.observed.next.is_some(), "both logins work while pods are replaced");
    }
    life.roll_out();
    life.reconcile();
    assert!(life.observed.next.is_none());
    assert_eq!(life.jobs, 3, "a Job closes the earlier login");
    assert_eq!(life.job_secrets(), [names::app_secret("shop")]);
    life.complete_job();
    for _ in 0..2 {
        life.reconcile();
        assert_eq!((life.pods_read().as_str(), life.jobs), ("todo_b", 3));
    }
    life.rotate = Some("2");
    life.reconcile();
    life.complete_job();
    life.reconcile();
    assert_eq!(life.pods_read(), "todo");
}

#[test]
fn a_new_value_of_the_annotation_waits_for_the_rotation_under_way() {
    let mut life = Life::with_generated_credentials();
    life.rotate = Some("1");
    life.reconcile();
    let first = life.observed.next.clone();
    life.rotate = Some("2");
    life.reconcile();
    assert_eq!(life.observed.next, first);
}

// Else the server accepts the new login before it has ever accepted the one that pods read.
#[test]
fn a_rotation_waits_for_the_first_migration() {
    let mut life = Life::new();
    life.reconcile();
    life.rotate = Some("1");
    life.observed.jobs.clear();
    life.reconcile();
    assert!(life.observed.next.is_none());
    life.complete_job();
    life.reconcile();
    life.reconcile();
    assert!(life.observed.next.is_some());
}

#[test]
fn an_annotation_that_was_there_before_the_credentials_rotates_nothing() {
    let mut life = Life { rotate: Some("1"), ..Life::new() };
    life.reconcile();
    life.complete_job();
    life.roll_out();
    life.reconcile();
    assert_eq!((life.pods_read().as_str(), life.jobs), ("todo", 1));
}

#[test]
fn pods_keep_the_accepted_credentials_while_others_are_not_accepted() {
    let mut life = Life::with_generated_credentials();
    let accepted = life.observed.app.clone();
    let data = [("username", "shop"), ("password", "typo")]
        .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
    let own = Secret { data: Some(data.into()), ..Secret::default() };
    life.observed.referenced.credentials = Lookup::Found(Box::new(own));
    life.spec = "database: {postgres: {credentialsSecret: {name: own}}}";
    life.reconcile();
    assert_eq!(life.observed.app, accepted);
    assert_eq!(life.job_secrets(), [names::next_secret("shop")]);
    life.complete_job();
    life.reconcile();
    assert_eq!(life.pods_read(), "shop");
}
