//! Another image of the API of a stack with SQLite: the pod that serves is replaced after the image was
//! tried.

use serde_json::{Value, json};

use super::{
    changes::{Change, SQLITE},
    cluster::Cluster,
};

const IMAGE: Change = Change::Edit("{api: {image: 'registry.example.com/api:2'}}");

fn generation(cluster: &Cluster) -> Value {
    cluster.server().store.get("deployments", "shop-api").unwrap()["metadata"]["generation"].clone()
}

fn api_pods(cluster: &Cluster) -> Vec<Value> {
    let server = cluster.server();
    let is_api = |pod: &&Value| pod["metadata"]["labels"]["app.kubernetes.io/component"] == "api";
    server.store.list("pods").filter(is_api).map(|pod| pod["metadata"]["name"].clone()).collect()
}

fn image(cluster: &Cluster) -> Value {
    let server = cluster.server();
    let deployment = server.store.get("deployments", "shop-api").unwrap();
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

#[tokio::test]
async fn the_pod_that_serves_is_replaced_when_the_trial_has_succeeded() {
    let mut cluster = IMAGE.prepare(SQLITE).await;
    let before = generation(&cluster);
    IMAGE.make(&mut cluster);
    cluster.reconcile().await;
    // `server` locks the cluster, so it comes last in its statement.
    assert_eq!((generation(&cluster), cluster.server().store.list("jobs").count()), (before.clone(), 1));
    let applied = cluster.condition("MigrationsApplied");
    assert_eq!((&applied["status"], &applied["reason"]), (&json!("False"), &json!("Progressing")));
    cluster.settle().await;
    assert_eq!(image(&cluster), "registry.example.com/api:2");
    assert_eq!(cluster.condition("Ready")["status"], "True", "{}", cluster.condition("Ready"));
    // Once.
    assert_eq!(generation(&cluster).as_u64(), before.as_u64().map(|before| before + 1));
}

#[tokio::test]
async fn an_image_that_fails_its_trial_replaces_no_pod_and_the_status_says_why() {
    let mut cluster = IMAGE.prepare(SQLITE).await;
    let (before, pods) = (generation(&cluster), api_pods(&cluster));
    IMAGE.make(&mut cluster);
    cluster.reconcile().await;
    let job = cluster.server().store.names("jobs").pop().unwrap();
    let now = crate::clock::now().to_string();
    let failed = json!({"status": {"failed": 4, "conditions": [
        {"type": "Failed", "status": "True", "lastTransitionTime": now}]}});
    cluster.patch("jobs", &job, &failed);
    cluster.settle().await;
    assert_eq!((generation(&cluster), api_pods(&cluster)), (before.clone(), pods));
    let ready = cluster.condition("Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("MigrationFailed")), "{ready}");
    assert_eq!(cluster.condition("ApiAvailable")["status"], "True");
    // Back to the image that serves.
    cluster.patch("todostacks", "shop", &json!({"spec": {"api": {"image": null}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition("Ready")["status"], "True");
    assert_eq!((generation(&cluster), cluster.server().store.list("jobs").count()), (before, 0));
}
