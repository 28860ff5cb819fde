//! When an image reaches the API's pods.

use std::sync::Arc;

use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job};
use rstest::rstest;
use serde_json::json;

use crate::{fixtures::resolved_from, names, observed::Observed, stack::Release};

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

#[test]
fn serving_pods_keep_their_credentials_while_the_users_secret_is_missing() {
    let mut observed = Observed { deployment: Some(running(OLD)), ..Observed::default() };
    observed.referenced.external = crate::observed::Lookup::Missing("pg".into());
    assert_eq!(resolved_from("database: {external: {secret: {name: pg}}}", &observed).api.release, old());
}
