//! Another controller takes a field whenever the operator has written it. Which field and which manager it
//! is, is tested in `apply/ownership/taken.rs`.

use std::time::Duration;

use kube::runtime::controller::Action;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::advance;

use super::cluster::{Cluster, Mutation};

const FIGHTER: (&str, Option<&str>) = ("argocd-controller", None);

// A cluster with a stack that is Ready.
async fn ready() -> Cluster {
    let mut cluster = Cluster::new("{}");
    cluster.settle().await;
    assert_eq!(cluster.condition("Ready")["status"], "True");
    cluster.server().writes.clear();
    cluster
}

// Every second for so long, the watches deliver what changed, and the stack is reconciled. The fighter takes
// its fields whenever they are not as it wants them. The cluster stays as it is otherwise.
async fn fight(cluster: &mut Cluster, (resource, name): (&str, &str), patch: Option<&Value>, seconds: u64) {
    let mut passed = 0;
    while passed < seconds {
        if let Some(patch) = patch {
            cluster.patch_as(FIGHTER, resource, name, patch);
        }
        cluster.watch();
        cluster.reconcile().await;
        cluster.run_controllers();
        let step = if passed < 60 { 1 } else { 30 };
        advance(Duration::from_secs(step)).await;
        passed += step;
    }
}

fn writes(cluster: &Cluster, resource: &str) -> usize {
    cluster.server().writes.iter().filter(|write| write.resource == resource).count()
}

#[rstest]
#[case::label("services", "shop-api", json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "todostack-operator", "app.kubernetes.io/component": "other"}}}), "Exposed", "metadata.labels['app.kubernetes.io/component']")]
#[case::replicas("deployments", "shop-api", json!({"spec": {"replicas": 3}}), "ApiAvailable", "spec.replicas")]
#[case::port("services", "shop-db", json!({"spec": {"ports": []}}), "DatabaseReady", "spec.ports")]
#[tokio::test(start_paused = true)]
async fn a_field_that_is_taken_again_and_again_is_reported_and_corrected_rarely(
    #[case] resource: &str,
    #[case] name: &str,
    #[case] patch: Value,
    #[case] condition: &str,
    #[case] field: &str,
) {
    let mut cluster = ready().await;
    fight(&mut cluster, (resource, name), Some(&patch), 10).await;
    let reported = cluster.condition(condition);
    assert_eq!((&reported["status"], &reported["reason"]), (&json!("True"), &json!("FieldConflict")));
    let message = reported["message"].as_str().unwrap();
    assert!(message.contains(&format!("argocd-controller, which takes {field}")), "{message}");
    assert_eq!(cluster.condition("Ready")["status"], "True");

    cluster.server().writes.clear();
    fight(&mut cluster, (resource, name), Some(&patch), 3600).await;
    assert!(writes(&cluster, resource) <= 12, "{}", writes(&cluster, resource));
    assert_eq!(cluster.condition(condition)["message"], message);
    if resource == "services" {
        assert_eq!(writes(&cluster, "todostacks"), 0, "the status stays the same");
    }

    fight(&mut cluster, (resource, name), None, 1500).await;
    assert_eq!(cluster.condition(condition)["reason"], "AsExpected");
    cluster.server().writes.clear();
    fight(&mut cluster, (resource, name), None, 60).await;
    assert!(cluster.server().writes.is_empty(), "{:?}", cluster.server().writes);
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_the_stack_is_written_at_once_in_spite_of_a_conflict() {
    let mut cluster = ready().await;
    let patch = json!({"spec": {"replicas": 3}});
    fight(&mut cluster, ("deployments", "shop-api"), Some(&patch), 60).await;
    cluster.patch("todostacks", "shop", &json!({"spec": {"api": {"replicas": 4}}}));
    cluster.reconcile().await;
    let replicas = cluster.server().store.get("deployments", "shop-api").unwrap()["spec"]["replicas"].clone();
    assert_eq!(replicas, 4);
}

#[tokio::test(start_paused = true)]
async fn the_stack_is_reconciled_when_the_next_correction_is_due() {
    let mut cluster = ready().await;
    let patch = json!({"spec": {"replicas": 3}});
    fight(&mut cluster, ("deployments", "shop-api"), Some(&patch), 10).await;
    cluster.server().writes.clear();
    let action = cluster.reconcile_once().await.unwrap().unwrap();
    // The last write was the fifth, after 4 s.
    assert_eq!(action, Action::requeue(Duration::from_secs(9)));
    advance(Duration::from_secs(9)).await;
    assert_eq!(writes(&cluster, "deployments"), 0);
    cluster.reconcile().await;
    assert_eq!(writes(&cluster, "deployments"), 1);
}

// Ownership decides, and a webhook does not change it.
#[rstest]
#[case::value("deployments", json!({"spec": {"replicas": 7}}))]
#[case::label("services", json!({"metadata": {"labels": {"example.com/injected": "yes"}}}))]
#[case::removal("deployments", json!({"spec": {"strategy": null}}))]
#[tokio::test(start_paused = true)]
async fn a_mutating_webhook_starts_no_loop(#[case] resource: &'static str, #[case] patch: Value) {
    let mut cluster = Cluster::new("{}");
    cluster.server().mutation = Some(Mutation { resource, patch });
    cluster.settle().await;
    cluster.server().writes.clear();
    fight(&mut cluster, (resource, ""), None, 600).await;
    let written: Vec<_> = cluster.server().writes.iter().map(super::cluster::Request::describe).collect();
    assert_eq!(written, Vec::<String>::new());
}
