//! A HorizontalPodAutoscaler on the API's Deployment is left its replicas; a user's `kubectl scale` is
//! corrected. When which replicas count is decided in `stack/src/autoscaling.rs`.

use rstest::rstest;
use serde_json::{Value, json};

use super::cluster::Cluster;

const AUTOSCALER: (&str, Option<&str>) = ("kube-controller-manager", Some("scale"));
const USER: (&str, Option<&str>) = ("kubectl", Some("scale"));

async fn ready(spec: &str) -> Cluster {
    let mut cluster = Cluster::new(spec);
    cluster.settle().await;
    cluster
}

fn create_autoscaler(cluster: &Cluster) {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-api"});
    let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "shop"}, "spec": {"scaleTargetRef": target, "maxReplicas": 9}});
    cluster.server().store.create("horizontalpodautoscalers", autoscaler);
}

async fn scale(cluster: &mut Cluster, client: (&str, Option<&str>), replicas: i32) {
    cluster.patch_as(client, "deployments", "shop-api", &json!({"spec": {"replicas": replicas}}));
    cluster.settle().await;
}

fn replicas(cluster: &Cluster) -> Value {
    cluster.server().store.get("deployments", "shop-api").unwrap()["spec"]["replicas"].clone()
}

fn status(cluster: &Cluster) -> Value {
    cluster.server().store.get("todostacks", "shop").unwrap()["status"]["api"]["ready"].clone()
}

async fn edit(cluster: &mut Cluster, api: Value) {
    cluster.patch("todostacks", "shop", &json!({"spec": {"api": api}}));
    cluster.settle().await;
}

#[tokio::test]
async fn an_autoscaler_is_left_its_replicas_and_everything_follows_them() {
    let mut cluster = ready("{api: {replicas: 1}}").await;
    create_autoscaler(&cluster);
    for count in [5, 3, 8] {
        scale(&mut cluster, AUTOSCALER, count).await;
        assert_eq!((replicas(&cluster), status(&cluster)), (json!(count), json!(format!("{count}/{count}"))));
    }
    assert!(cluster.server().store.get("poddisruptionbudgets", "shop-api").is_some());
    let condition = cluster.condition("ApiAvailable");
    assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!("AsExpected")));
    // Whatever else is applied.
    edit(&mut cluster, json!({"image": "registry.example.com/api:2"})).await;
    assert_eq!(replicas(&cluster), 8);
    edit(&mut cluster, json!({"replicas": 2})).await;
    assert_eq!(replicas(&cluster), 8);
}

#[tokio::test]
async fn what_a_user_scales_is_corrected() {
    let mut cluster = ready("{}").await;
    scale(&mut cluster, USER, 5).await;
    assert_eq!(replicas(&cluster), 2);
}

#[tokio::test]
async fn the_replicas_of_the_spec_count_again_without_the_autoscaler() {
    let mut cluster = ready("{}").await;
    create_autoscaler(&cluster);
    scale(&mut cluster, AUTOSCALER, 5).await;
    cluster.server().store.remove("horizontalpodautoscalers", "shop");
    cluster.settle().await;
    assert_eq!((replicas(&cluster), status(&cluster)), (json!(2), json!("2/2")));
}

#[tokio::test]
async fn a_stack_that_is_stopped_stays_stopped() {
    let mut cluster = ready("{}").await;
    create_autoscaler(&cluster);
    scale(&mut cluster, AUTOSCALER, 5).await;
    edit(&mut cluster, json!({"replicas": 0})).await;
    assert_eq!(replicas(&cluster), 0);
    edit(&mut cluster, json!({"replicas": 3})).await;
    assert_eq!(replicas(&cluster), 3);
    scale(&mut cluster, AUTOSCALER, 6).await;
    assert_eq!(replicas(&cluster), 6);
}

// Two pods would write to one file.
#[tokio::test]
async fn the_one_pod_of_a_sqlite_file_is_not_scaled() {
    let mut cluster = ready("{database: {sqlite: {}}}").await;
    create_autoscaler(&cluster);
    scale(&mut cluster, AUTOSCALER, 5).await;
    assert_eq!(replicas(&cluster), 1);
}

#[rstest]
#[case::never_scaled(false, 0)]
#[case::scaled(true, 1)]
#[tokio::test]
async fn autoscalers_are_asked_for_only_when_something_was_scaled(
    #[case] is_scaled: bool,
    #[case] lists: usize,
) {
    let mut cluster = ready("{}").await;
    create_autoscaler(&cluster);
    if is_scaled {
        scale(&mut cluster, AUTOSCALER, 5).await;
    }
    let before = cluster.server().requests;
    cluster.reconcile().await;
    assert_eq!(cluster.server().requests - before, lists);
}
