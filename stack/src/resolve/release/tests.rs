//! When an image reaches the API's pods.

use std::sync::Arc;

use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job};
use rstest::rstest;
use serde_json::json;
use todostack_crds::{TodoStackStatus, status::MigrationStatus};

use crate::{
    fixtures::{now, resolved_at, resolved_from, todostack},
    names,
    observed::Observed,
    stack::Release,
};

const OLD: &str = "registry.example.com/api:0";
const NEW: &str = "registry.example.com/api:1";

fn job(image: &str, outcome: &str) -> Arc<Job> {
    let name = names::migration("shop", image, "revision-1");
    let value =
        json!({"metadata": {"name": name}, "status": {"conditions": [{"type": outcome, "status": "True"}]}});
    Arc::new(serde_json::from_value(value).unwrap())
}

fn running(image: &str) -> Arc<Deployment> {
    let annotations =
        json!({"todostack.dev/released-image": image, "todostack.dev/released-revision": "revision-0"});
    Arc::new(serde_json::from_value(json!({"metadata": {"annotations": annotations}})).unwrap())
}

fn new() -> Release {
    Release { image: NEW.into(), revision: "revision-1".into() }
}

fn old() -> Release {
    Release { image: OLD.into(), revision: "revision-0".into() }
}

#[rstest]
#[case::new_pods_may_wait_for_the_schema(None, vec![], new())]
#[case::before_the_migration_the_old_image_serves(Some(running(OLD)), vec![], old())]
#[case::while_the_migration_fails_the_old_image_serves(Some(running(OLD)), vec![job(NEW, "Failed")], old())]
#[case::the_migration_of_another_image_does_not_count(Some(running(OLD)), vec![job(OLD, "Complete")], old())]
#[case::after_the_migration_the_new_image_serves(Some(running(OLD)), vec![job(NEW, "Complete")], new())]
fn an_image_reaches_the_pods_after_its_migration(
    #[case] deployment: Option<Arc<Deployment>>,
    #[case] jobs: Vec<Arc<Job>>,
    #[case] expected: Release,
) {
    let observed = Observed { deployment, jobs, ..Observed::default() };
    assert_eq!(resolved_from("{}", &observed).api.release, expected);
}

#[rstest]
#[case::a_deleted_deployment_comes_back_with_the_migrated_image(None, OLD, old())]
#[case::what_runs_counts_more(Some(running("registry.example.com/api:running")), OLD, Release {
    image: "registry.example.com/api:running".into(), revision: "revision-0".into(),
})]
#[case::what_is_migrated_serves(Some(running(OLD)), NEW, new())]
fn what_the_status_remembers_needs_no_job(
    #[case] deployment: Option<Arc<Deployment>>,
    #[case] image: &str,
    #[case] expected: Release,
) {
    let mut todostack = todostack("{}");
    let revision = if image == NEW { "revision-1" } else { "revision-0-beside" };
    let migrations = MigrationStatus { image: image.into(), revision: revision.into(), ..Default::default() };
    todostack.status = Some(TodoStackStatus { migrations: Some(migrations), ..TodoStackStatus::default() });
    for jobs in [vec![], vec![job(NEW, "Failed")]] {
        let observed = Observed { deployment: deployment.clone(), jobs, ..Observed::default() };
        assert_eq!(resolved_at(&todostack, &observed, now()).api.release, expected);
    }
}

#[test]
fn serving_pods_keep_their_credentials_while_the_users_secret_is_missing() {
    let mut observed = Observed { deployment: Some(running(OLD)), ..Observed::default() };
    observed.referenced.external = crate::observed::Lookup::Missing("pg".into());
    assert_eq!(resolved_from("database: {external: {secret: {name: pg}}}", &observed).api.release, old());
}
