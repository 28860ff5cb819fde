//! That at most one migration runs, whatever the API server answers to the deletion of an earlier Job.

use std::sync::Arc;

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use todostack_stack::{fixtures, managed::Job, observed::Listing};

use super::api_server::{ApiServer, Received, failure};

const EDITED: &str = "{api: {image: 'registry.example.com/api:2'}}";

// The objects of the stack `shop`, and a change of the migration Job of its first image.
fn listing(change: impl Fn(&mut Job)) -> Listing {
    let mut listing = fixtures::listing(&fixtures::resolved("{}"));
    change(Arc::make_mut(&mut listing.managed.jobs[0]));
    listing
}

fn pod_of(job: &str, phase: &str) -> Value {
    let labels = json!({
        "app.kubernetes.io/managed-by": "todostack-operator", "todostack.dev/stack": "shop",
        "app.kubernetes.io/component": "migration", "job-name": job,
    });
    json!({"metadata": {"name": "p", "namespace": "shops", "labels": labels}, "status": {"phase": phase}})
}

// Which Jobs a reconcile of the edited stack creates and deletes.
async fn writes(listing: Listing, deletion: u16) -> (usize, usize) {
    let stack = fixtures::todostack(EDITED);
    let answer = move |request: &Received| {
        let is_rejected = request.method == Method::DELETE && deletion != 200;
        is_rejected.then(|| failure(deletion, "Error", "no"))
    };
    let server = ApiServer::with(&stack, listing, Arc::new(answer));
    // A deletion that fails is an error after the status is published.
    let _ = server.reconcile(&stack).await;
    let count = |method: &str| {
        let writes = server.writes();
        writes.iter().filter(|write| write.starts_with(method) && write.contains("/jobs/")).count()
    };
    (count("PATCH"), count("DELETE"))
}

fn finish(job: &mut Job) {
    let condition = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    job.status = Some(serde_json::from_value(condition).unwrap());
}

#[rstest]
#[tokio::test]
async fn a_migration_waits_until_an_unfinished_one_is_gone(#[values(200, 403, 409, 500)] deletion: u16) {
    assert_eq!(writes(listing(|_| {}), deletion).await, (0, 1));
}

#[tokio::test]
async fn a_migration_waits_for_one_that_is_being_deleted() {
    let terminating = listing(|job| {
        job.metadata.deletion_timestamp = fixtures::todostack("{}").metadata.creation_timestamp;
    });
    assert_eq!(writes(terminating, 200).await, (0, 0));
}

#[tokio::test]
async fn a_migration_starts_beside_one_that_has_finished() {
    assert_eq!(writes(listing(finish), 200).await, (1, 0));
}

#[rstest]
#[case::runs("Running", 0)]
#[case::waits("Pending", 0)]
#[case::has_ended("Failed", 1)]
#[tokio::test]
async fn a_migration_waits_for_the_pods_of_a_job_that_was_deleted(
    #[case] phase: &str,
    #[case] created: usize,
) {
    let mut listing = listing(|_| {});
    listing.managed.jobs.clear();
    listing.pods.push(Arc::new(serde_json::from_value(pod_of("shop-migrate-deleted", phase)).unwrap()));
    assert_eq!(writes(listing, 200).await, (created, 0));
}
