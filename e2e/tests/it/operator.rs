//! The operator itself: probes, restarts, and waiting for its CRD. Its Helm chart is in `helm.rs`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use k8s_openapi::{
    api::{apps::v1::Deployment, coordination::v1::Lease, core::v1::Pod},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::wait::conditions,
};
use serde_json::json;
use todostack_e2e::{
    cluster::{CRD, CRD_RELEASE, Cluster, OPERATOR, OPERATOR_NAMESPACE},
    namespace::with_namespace_alone,
    stack::{READY_WITHIN, SOON},
    wait,
};
use tokio::time::timeout;

// Status and body of a GET from a Service or pod (`services/name:port`) in the operator's namespace.
async fn get(cluster: &Cluster, server: &str, path: &str) -> Result<(u16, String)> {
    let uri = format!("/api/v1/namespaces/{OPERATOR_NAMESPACE}/{server}/proxy{path}");
    let request = Request::get(uri).body(kube::client::Body::empty())?;
    // For a Service without a ready pod, or a pod that has just been assigned its address, the API server
    // waits.
    let response = timeout(Duration::from_secs(3), cluster.proxy.send(request)).await??;
    let status = response.status().as_u16();
    Ok((status, String::from_utf8(response.into_body().collect_bytes().await?.to_vec())?))
}

async fn get_from_service(cluster: &Cluster, path: &str) -> Result<(u16, String)> {
    get(cluster, &format!("services/{OPERATOR}:http"), path).await
}

async fn set_replicas(cluster: &Cluster, replicas: i32) -> Result<()> {
    let change = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    cluster.operator_api::<Deployment>().patch(OPERATOR, &PatchParams::default(), &change).await?;
    Ok(())
}

pub(crate) async fn scale(cluster: &Cluster, replicas: i32) -> Result<()> {
    set_replicas(cluster, replicas).await?;
    let is_scaled = move |deployment: Option<&Deployment>| {
        let status = deployment.and_then(|it| it.status.as_ref());
        status.is_some_and(|it| {
            it.replicas.unwrap_or(0) == replicas && it.ready_replicas.unwrap_or(0) == replicas
        })
    };
    wait::until(&cluster.operator_api(), OPERATOR, "scaled", READY_WITHIN, is_scaled).await?;
    if replicas == 0 {
        return Ok(());
    }
    // A replica is ready before it leads, and what a test does next is timed.
    wait::eventually("led by a pod that runs", SOON, async || {
        let leader = leader(cluster).await?;
        cluster.operator_api::<Pod>().get(&leader).await.with_context(|| format!("no pod {leader}"))
    })
    .await
    .map(drop)
}

// The pod that holds the Lease.
pub(crate) async fn leader(cluster: &Cluster) -> Result<String> {
    let lease = cluster.operator_api::<Lease>().get(OPERATOR).await?;
    lease.spec.and_then(|spec| spec.holder_identity).context("nobody holds the Lease")
}

#[tokio::test]
async fn the_operator_serves_probes_and_metrics() -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    for path in ["/livez", "/readyz"] {
        let (status, body) = get_from_service(&cluster, path).await?;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let (status, metrics) = get_from_service(&cluster, "/metrics").await?;
    ensure!(status == 200 && metrics.contains("# TYPE todostack_"), "{status}: {metrics}");
    Ok(())
}

#[test]
fn changes_during_downtime_are_reconciled_after_it() -> Result<()> {
    with_namespace_alone("away", async |namespace| {
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
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
        namespace.until_ready("late").await?;
        wait::until_deleted(&namespace.stacks(), "shop", SOON).await
    })
}

#[test]
fn a_restart_changes_no_object() -> Result<()> {
    with_namespace_alone("calm", async |namespace| {
        namespace.apply_and_wait("shop", "{}").await?;
        // Its controller writes to it and to its pod a moment after the migration.
        let complete = ["wait", "--for=condition=Complete", "jobs", "--all", "--timeout=60s"];
        namespace.kubectl(&complete).await?;
        let versions = async || {
            let kinds =
                "todostacks,deployments,statefulsets,services,secrets,persistentvolumeclaims,pods,jobs";
            let fields = "{.kind} {.metadata.name} {.metadata.resourceVersion}{'\\n'}";
            let output = format!("jsonpath={{range .items[*]}}{fields}{{end}}");
            namespace.kubectl(&["get", kinds, "--output", &output]).await
        };
        let before = versions().await?;
        scale(&namespace.cluster, 0).await?;
        scale(&namespace.cluster, 1).await?;
        // When a stack that is applied after the start is Ready, the operator has reconciled the other one
        // too.
        namespace.apply_and_wait("late", "{database: {sqlite: {}}}").await?;
        namespace.delete_and_wait("late").await?;
        let after = versions().await?;
        for line in before.lines() {
            ensure!(after.contains(line), "changed: {line}\nafter:\n{after}");
        }
        Ok(())
    })
}

// Deletes every stack of the cluster with the CRD, so the one of `examples/demo` is applied again at the
// end.
#[tokio::test]
async fn without_its_crd_the_operator_waits_and_reports_it() -> Result<()> {
    let (cluster, _permit) = Cluster::alone().await?;
    let crds = cluster.api::<CustomResourceDefinition>();
    crds.delete(CRD, &DeleteParams::default()).await?;
    wait::until_deleted(&crds, CRD, READY_WITHIN).await?;

    scale(&cluster, 0).await?;
    set_replicas(&cluster, 1).await?;
    let outcome = ensure_waiting_for_crd(&cluster).await;

    let install = ["upgrade", "--install", CRD_RELEASE, "charts/todostack-crds"];
    cluster.helm(&[&install[..], &["--namespace", OPERATOR_NAMESPACE]].concat()).await?;
    wait::until(&crds, CRD, "established", SOON, conditions::is_crd_established()).await?;
    cluster.kubectl(&["apply", "--filename", "examples/demo"]).await?;
    let ready = ["--namespace", "todo", "wait", "--for=condition=Ready", "todostack/demo", "--timeout=180s"];
    cluster.kubectl(&ready).await?;
    // The Service gets its endpoint only after the pod has reported that it is ready.
    wait::eventually("ready", SOON, async || {
        let (status, body) = get_from_service(&cluster, "/readyz").await?;
        ensure!(status == 200, "{status}: {body}");
        Ok(())
    })
    .await?;
    outcome
}

async fn ensure_waiting_for_crd(cluster: &Cluster) -> Result<()> {
    let of_operator = ListParams::default().labels(&format!("app.kubernetes.io/name={OPERATOR}"));
    wait::eventually("waiting for its CRD", SOON, async || {
        let pods = cluster.operator_api::<Pod>().list(&of_operator).await?.items;
        let pod = pods.iter().find(|it| it.metadata.deletion_timestamp.is_none()).context("no pod")?;
        let statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
        assert_eq!(statuses.map(|it| it.restart_count).sum::<i32>(), 0);
        // From the pod, because a Service has only ready pods as endpoints.
        let (status, body) = get(cluster, &format!("pods/{}:8080", pod.name_any()), "/readyz").await?;
        ensure!(status == 503 && body.contains(CRD), "{status}: {body}");
        let logs = cluster.kubectl(&["--namespace", OPERATOR_NAMESPACE, "logs", &pod.name_any()]).await?;
        ensure!(logs.contains(CRD), "{logs}");
        Ok(())
    })
    .await
}

// As `values.yaml` documents.
#[tokio::test]
async fn the_operator_has_one_replica_and_does_not_run_as_root() -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    let spec = cluster.operator_api::<Deployment>().get(OPERATOR).await?.spec.context("no spec")?;
    assert_eq!(spec.replicas, Some(1));
    let pod = spec.template.spec.context("no pod spec")?;
    assert_eq!(pod.security_context.and_then(|it| it.run_as_user), Some(65532));
    Ok(())
}
