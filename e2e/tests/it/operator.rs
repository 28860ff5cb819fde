//! The operator itself: how it fares, away for a while, without its definition; what Helm does with it is in `helm.rs`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::Pod},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::wait::conditions,
};
use serde_json::json;
use todostack_crds::TodoStack;
use todostack_e2e::{
    cluster::{Cluster, DEFINITION, OPERATOR, OPERATOR_NAMESPACE},
    namespace::with_namespace_alone,
    stack::{READY_WITHIN, SOON},
    wait,
};
use tokio::time::timeout;

const CRD: &str = "todostacks.todostack.dev";

/// The status and body of a path below a Service or pod of the operator's namespace.
async fn get(cluster: &Cluster, below: &str, path: &str) -> Result<(u16, String)> {
    let uri = format!("/api/v1/namespaces/{OPERATOR_NAMESPACE}/{below}/proxy{path}");
    let request = Request::get(uri).body(kube::client::Body::empty())?;
    // A Service without a ready pod, or a pod that has just got its address, keeps the API server waiting.
    let answer = timeout(Duration::from_secs(3), cluster.proxy.send(request)).await??;
    let status = answer.status().as_u16();
    Ok((status, String::from_utf8(answer.into_body().collect_bytes().await?.to_vec())?))
}

async fn operator(cluster: &Cluster, path: &str) -> Result<(u16, String)> {
    get(cluster, &format!("services/{OPERATOR}:http"), path).await
}

async fn scale(cluster: &Cluster, replicas: i32) -> Result<()> {
    let deployments = Api::<Deployment>::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let change = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    deployments.patch(OPERATOR, &PatchParams::default(), &change).await?;
    let arrived = move |found: Option<&Deployment>| {
        let status = found.and_then(|it| it.status.as_ref());
        status.is_some_and(|it| {
            it.replicas.unwrap_or(0) == replicas && it.ready_replicas.unwrap_or(0) == replicas
        })
    };
    wait::until(&deployments, OPERATOR, ("scaled", READY_WITHIN), arrived).await.map(drop)
}

#[tokio::test]
async fn it_is_ready_and_tells_how_it_fares() -> Result<()> {
    let (cluster, _guard) = Cluster::shared().await?;
    for path in ["/livez", "/readyz"] {
        let (status, body) = operator(&cluster, path).await?;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let (status, metrics) = operator(&cluster, "/metrics").await?;
    ensure!(status == 200 && metrics.contains("# TYPE todostack_"), "{status}: {metrics}");
    Ok(())
}

#[tokio::test]
async fn what_changed_while_it_was_away_is_done_when_it_comes_back() -> Result<()> {
    with_namespace_alone("away", async |namespace| {
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.ready("shop").await?;
        let todo = namespace.todos("shop").add("serve without an operator").await?;

        scale(&namespace.cluster, 0).await?;
        let outcome = async {
            assert_eq!(namespace.todos("shop").list().await?, vec![todo]);
            namespace.apply("late", "{database: {sqlite: {}}}").await?;
            namespace.stacks().delete("shop", &DeleteParams::default()).await?;
            Ok::<_, anyhow::Error>(())
        }
        .await;
        scale(&namespace.cluster, 1).await?;
        outcome?;
        namespace.ready("late").await?;
        let gone = |found: Option<&TodoStack>| found.is_none();
        wait::until(&namespace.stacks(), "shop", ("gone", SOON), gone).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_restart_changes_no_pod() -> Result<()> {
    with_namespace_alone("calm", async |namespace| {
        namespace.apply("shop", "{}").await?;
        namespace.ready("shop").await?;
        let versions = async || {
            let kinds = "todostacks,deployments,statefulsets,services,secrets,persistentvolumeclaims,pods,jobs";
            namespace.kubectl(&["get", kinds, "--output", "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{'\\n'}{end}"]).await
        };
        let before = versions().await?;
        scale(&namespace.cluster, 0).await?;
        scale(&namespace.cluster, 1).await?;
        // The operator has looked at this stack again when it has made another one that was applied after its start.
        namespace.apply("late", "{database: {sqlite: {}}}").await?;
        namespace.ready("late").await?;
        namespace.remove("late").await?;
        let after = versions().await?;
        for line in before.lines() {
            ensure!(after.contains(line), "changed: {line}\nafter:\n{after}");
        }
        Ok(())
    })
    .await
}

/// Deleting the definition deletes every stack of the cluster, that of `examples/demo` too; it comes back in the end.
#[tokio::test]
async fn without_its_definition_it_waits_and_says_so() -> Result<()> {
    let (cluster, _guard) = Cluster::alone().await?;
    let definitions = Api::<CustomResourceDefinition>::all(cluster.client.clone());
    definitions.delete(CRD, &DeleteParams::default()).await?;
    let gone = |found: Option<&CustomResourceDefinition>| found.is_none();
    wait::until(&definitions, CRD, ("gone", READY_WITHIN), gone).await?;

    scale(&cluster, 0).await?;
    let deployments = Api::<Deployment>::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    deployments
        .patch(OPERATOR, &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 1}})))
        .await?;
    let outcome = waits_without_definition(&cluster).await;

    cluster
        .helm(&[
            "upgrade",
            "--install",
            DEFINITION,
            "charts/todostack-crds",
            "--namespace",
            OPERATOR_NAMESPACE,
        ])
        .await?;
    wait::until(&definitions, CRD, ("established", SOON), conditions::is_crd_established()).await?;
    cluster.kubectl(&["apply", "--filename", "examples/demo"]).await?;
    let ready = ["--namespace", "todo", "wait", "--for=condition=Ready", "todostack/demo", "--timeout=180s"];
    cluster.kubectl(&ready).await?;
    let (status, body) = operator(&cluster, "/readyz").await?;
    ensure!(status == 200, "{status}: {body}");
    outcome
}

async fn waits_without_definition(cluster: &Cluster) -> Result<()> {
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let its = ListParams::default().labels(&format!("app.kubernetes.io/name={OPERATOR}"));
    wait::eventually("waiting for its definition", SOON, async || {
        let present = pods.list(&its).await?.items;
        let pod = present.iter().find(|it| it.metadata.deletion_timestamp.is_none()).context("no pod")?;
        let restarts: i32 = pod
            .status
            .iter()
            .flat_map(|it| it.container_statuses.iter().flatten())
            .map(|it| it.restart_count)
            .sum();
        assert_eq!(restarts, 0);
        // Through the pod, since a Service leads to Ready pods only.
        let (status, body) = get(cluster, &format!("pods/{}:8080", pod.name_any()), "/readyz").await?;
        ensure!(status == 503 && body.contains(CRD), "{status}: {body}");
        let logs = cluster.kubectl(&["--namespace", OPERATOR_NAMESPACE, "logs", &pod.name_any()]).await?;
        ensure!(logs.contains(CRD), "{logs}");
        Ok(())
    })
    .await
}

/// Documented in values.yaml: one operator at a time.
#[tokio::test]
async fn there_is_one_operator_pod_that_is_not_root() -> Result<()> {
    let (cluster, _guard) = Cluster::shared().await?;
    let deployments = Api::<Deployment>::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
    let spec = deployments.get(OPERATOR).await?.spec.context("no spec")?;
    assert_eq!(spec.replicas, Some(1));
    let pod = spec.template.spec.context("no pod spec")?;
    assert_eq!(pod.security_context.and_then(|it| it.run_as_user), Some(65532));
    Ok(())
}
