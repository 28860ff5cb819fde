//! Nodes and servers that go away for a while, and pods that do not go.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace, with_namespace_alone},
    nfs_node::{self, postgres_on},
    outage::Stalled,
    stack::READY_WITHIN,
    symptom::Symptom,
    todos::Todo,
    wait,
};

/// The operator's grace for a pod that should be gone: a kubelet that lives needs seconds.
const GRACE: Duration = Duration::from_secs(30);

/// A stack whose data is on the NFS node, and its todos.
async fn served_from_an_export(namespace: &Namespace) -> Result<Vec<Todo>> {
    namespace.cluster.nfs_node().await?;
    let path = nfs_node::export(&namespace.name, "999:999", "0700").await?;
    let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on(&path));
    namespace.apply("shop", &spec).await?;
    namespace.ready("shop").await?;
    Ok(vec![namespace.todos("shop").add("outlive the outage").await?])
}

/// It is Ready by itself, with the todos that it had, and takes more.
async fn goes_on(namespace: &Namespace, before: &[Todo]) -> Result<()> {
    namespace.ready("shop").await?;
    assert_eq!(namespace.todos("shop").answered().await?, before);
    namespace.todos("shop").add("and go on").await.map(drop)
}

/// Server, kubelet and the database's pod stand still together. The node controller takes 40 to 50 s to see it.
#[tokio::test]
async fn an_nfs_server_that_stalls_is_named_and_nothing_is_lost_when_it_comes_back() -> Result<()> {
    with_namespace_alone("stall", async |namespace| {
        let before = served_from_an_export(namespace).await?;
        let watching = namespace.watch("shop", Symptom::Unready("database")).await?;
        let stalled = Stalled::process("nfs-node")?;
        let outcome = namespace.explained(watching, (Reason::NodeNotReady, "kubectl get nodes")).await;
        drop(stalled);
        let nodes = Api::<Node>::all(namespace.cluster.client.clone());
        let ready = |found: Option<&Node>| {
            let conditions = found.iter().filter_map(|it| it.status.as_ref()?.conditions.as_ref()).flatten();
            conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
        };
        wait::until(&nodes, nfs_node::NODE, ("Ready", READY_WITHIN), ready).await?;
        outcome?;
        goes_on(namespace, &before).await
    })
    .await
}

/// The server alone stands still: its clients wait (hard), and what the database was told is on the export afterwards.
/// The last of three probes of 5 s, 5 s apart, takes the pod's readiness.
#[tokio::test]
async fn an_nfs_server_that_is_off_is_named_while_its_volume_waits_and_nothing_is_lost() -> Result<()> {
    with_namespace_alone("off", async |namespace| {
        let before = served_from_an_export(namespace).await?;
        let watching = namespace.watch("shop", Symptom::Unready("database")).await?;
        nfs_node::run("rpc.nfsd 0").await?;
        let outcome = namespace.explained(watching, (Reason::NfsServerUnreachable, nfs_node::SERVER)).await;
        nfs_node::run("rpc.nfsd 4").await?;
        outcome?;
        goes_on(namespace, &before).await
    })
    .await
}

#[tokio::test]
async fn a_database_pod_that_does_not_go_is_named_and_replaced_once_it_does() -> Result<()> {
    with_namespace("finalizer", async |namespace| {
        namespace.apply("shop", "{api: {replicas: 1}}").await?;
        namespace.ready("shop").await?;
        let pods = namespace.api::<Pod>();
        let finalizers = |of: serde_json::Value| Patch::Merge(json!({"metadata": {"finalizers": of}}));
        let parameters = PatchParams::default();
        let held = pods.patch("shop-db-0", &parameters, &finalizers(json!(["todostack.dev/e2e"]))).await?;
        let watching = namespace.watch("shop", Symptom::Overdue(GRACE)).await?;
        pods.delete("shop-db-0", &DeleteParams::default().grace_period(1)).await?;
        let outcome = namespace.explained(watching, (Reason::StuckTerminating, "--force")).await;
        pods.patch("shop-db-0", &parameters, &finalizers(json!(null))).await?;
        outcome?;
        let uid = held.metadata.uid.context("no uid")?;
        let replaced = move |found: Option<&Pod>| {
            found.is_some_and(|pod| pod.metadata.uid.as_ref().is_some_and(|it| *it != uid))
        };
        let new = wait::until(&pods, "shop-db-0", ("replaced", READY_WITHIN), replaced).await?;
        ensure!(new.is_some(), "the pod is gone");
        namespace.ready("shop").await.map(drop)
    })
    .await
}
