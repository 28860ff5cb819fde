//! Nodes and servers that are unavailable for a while, and pods that are stuck terminating.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace, with_namespace_on_nfs_node_alone},
    nfs_node::{self, postgres_on_export},
    outage::SuspendedProcess,
    stack::READY_WITHIN,
    symptom::Symptom,
    todos::Todo,
    wait,
};

// How long the operator allows a pod to exist after its deletion deadline. A running kubelet needs seconds.
const GRACE: Duration = Duration::from_secs(30);

// Starts a stack with its data on the NFS node, and returns its todos.
async fn apply_on_export(namespace: &Namespace) -> Result<Vec<Todo>> {
    let path = namespace.export().await?;
    let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
    namespace.apply_and_wait("shop", &spec).await?;
    Ok(vec![namespace.todos("shop").add("outlive the outage").await?])
}

// Fails unless the stack becomes Ready again, still has its todos, and accepts another.
async fn ensure_recovered(namespace: &Namespace, before: &[Todo]) -> Result<()> {
    namespace.until_ready("shop").await?;
    assert_eq!(namespace.todos("shop").list_eventually().await?, before);
    namespace.todos("shop").add("and go on").await.map(drop)
}

// Suspends server, kubelet and database together. The node controller takes 40 to 50 s to notice.
#[test]
fn a_node_that_stalls_is_reported_and_no_data_is_lost_when_it_is_back() -> Result<()> {
    with_namespace_on_nfs_node_alone("stall", async |namespace| {
        let before = apply_on_export(namespace).await?;
        let watch = namespace.watch_for("shop", Symptom::PodNotReady("database")).await?;
        let suspended = SuspendedProcess::suspend("nfs-node")?;
        let outcome = watch.diagnosed_as(Reason::NodeNotReady, "kubectl get nodes").await;
        drop(suspended);
        // The next test needs the node, whatever the outcome of this one.
        let is_ready = |node: Option<&Node>| {
            let conditions = node.iter().filter_map(|it| it.status.as_ref()?.conditions.as_ref()).flatten();
            conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
        };
        wait::until(&namespace.cluster.api(), nfs_node::NODE, "Ready", READY_WITHIN, is_ready).await?;
        outcome?;
        ensure_recovered(namespace, &before).await
    })
}

// Stops the server alone: with a hard mount, writes wait and are on the export afterwards. The pod becomes
// unready with the last of three probes, 5 s apart, that take 5 s each.
#[test]
fn an_nfs_server_that_stops_is_reported_and_no_data_is_lost_when_it_is_back() -> Result<()> {
    with_namespace_on_nfs_node_alone("off", async |namespace| {
        let before = apply_on_export(namespace).await?;
        let watch = namespace.watch_for("shop", Symptom::PodNotReady("database")).await?;
        nfs_node::run("rpc.nfsd 0").await?;
        let outcome = watch.diagnosed_as(Reason::NfsServerUnreachable, nfs_node::SERVER).await;
        nfs_node::run("rpc.nfsd 4").await?;
        outcome?;
        ensure_recovered(namespace, &before).await
    })
}

#[test]
fn a_database_pod_that_is_stuck_terminating_is_reported_and_replaced_later() -> Result<()> {
    with_namespace("finalizer", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let pods = namespace.api::<Pod>();
        let finalizers = async |value: Value| {
            let patch = Patch::Merge(json!({"metadata": {"finalizers": value}}));
            pods.patch("shop-db-0", &PatchParams::default(), &patch).await
        };
        let stuck = finalizers(json!(["todostack.dev/e2e"])).await?;
        let watch = namespace.watch_for("shop", Symptom::StuckTerminating(GRACE)).await?;
        pods.delete("shop-db-0", &DeleteParams::default().grace_period(1)).await?;
        let outcome = watch.diagnosed_as(Reason::StuckTerminating, "--force").await;
        finalizers(json!(null)).await?;
        outcome?;
        wait::until_replaced(&pods, &stuck, READY_WITHIN).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
