//! The NFS exports and hosts that an administrator allows, by the values of the chart.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::PersistentVolumeClaim, networking::v1::Ingress};
use kube::api::{Patch, PatchParams};
use todostack_crds::{ConditionType, Reason};
use todostack_e2e::{
    cluster::{Cluster, OPERATOR, OPERATOR_NAMESPACE},
    namespace::{Namespace, with_namespace_alone},
    nfs_node::{SERVER, postgres_on_export},
    remedy::Step,
    stack::{SOON, condition, manifest},
    wait,
};

// Upgrades the operator with these values in place of some of its own.
async fn set_values(cluster: &Cluster, values: &[String]) -> Result<()> {
    let chart = "charts/todostack-operator";
    let upgrade = ["upgrade", OPERATOR, chart, "--namespace", OPERATOR_NAMESPACE, "--wait"];
    let flags = values.iter().map(|value| format!("--set-json={value}")).collect::<Vec<_>>();
    let flags = flags.iter().map(String::as_str).chain(["--reset-then-reuse-values"]);
    cluster.helm(&upgrade.into_iter().chain(flags).collect::<Vec<_>>()).await.map(drop)
}

fn allow(exports: &[&str], hosts: &[&str], policy: bool) -> Result<Vec<String>> {
    Ok(vec![
        format!("nfs.allowed={}", serde_json::to_string(exports)?),
        format!("exposure.allowedHosts={}", serde_json::to_string(hosts)?),
        format!("admissionPolicy.enabled={policy}"),
    ])
}

// Waits until the API server itself rejects the stack with this text.
async fn until_rejected(namespace: &Namespace, spec: &str, mention: &str) -> Result<()> {
    let patch = Patch::Apply(manifest("rejected", spec)?);
    let parameters = PatchParams { dry_run: true, ..PatchParams::apply("e2e") };
    wait::eventually("rejected", SOON, async || {
        let answer = namespace.stacks().patch("rejected", &parameters, &patch).await;
        let message = answer.err().context("the stack was accepted")?.to_string();
        ensure!(message.contains(mention), "{message}");
        Ok(())
    })
    .await
}

#[test]
fn what_is_not_allowed_is_rejected_and_reported_and_what_runs_stays() -> Result<()> {
    with_namespace_alone("allowed", async |namespace| {
        let cluster = &namespace.cluster;
        let (on_nfs, web) = (spec_on_nfs(&namespace.export().await?), spec_with_host("allowed.localhost"));
        namespace.apply("nfs", &on_nfs).await?;
        namespace.apply_and_wait("web", &web).await?;
        namespace.until_ready("nfs").await?;
        let todo = namespace.todos("nfs").add("stay").await?;

        let outcome = async {
            let (exports, hosts) = ([format!("{SERVER}:/other")], ["*.{namespace}.localhost"]);
            set_values(cluster, &allow(&[&exports[0]], &hosts, false)?).await?;
            ensure_nothing_is_created(namespace, &on_nfs).await?;
            set_values(cluster, &allow(&[&exports[0]], &hosts, true)?).await?;
            until_rejected(namespace, &on_nfs, "value nfs.allowed").await?;
            until_rejected(namespace, &web, "value exposure.allowedHosts").await?;

            let on_export = namespace.until_not_ready("nfs", Reason::ExportNotAllowed, "nfs.allowed").await?;
            assert_eq!(namespace.todos("nfs").list().await?, vec![todo]);
            ensure_host_is_corrected(namespace).await?;
            let (_, entry) = on_export.split_once("administrator add ").context("no entry")?;
            let entry = entry.split(' ').next().unwrap_or_default();
            set_values(cluster, &allow(&[&exports[0], entry], &hosts, true)?).await?;
            namespace.until_ready("nfs").await.map(drop)
        }
        .await;
        set_values(cluster, &allow(&["*"], &["*"], true)?).await?;
        outcome
    })
}

fn spec_on_nfs(path: &str) -> String {
    format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(path))
}

fn spec_with_host(host: &str) -> String {
    format!("{{database: {{sqlite: {{}}}}, exposure: {{host: {host}}}}}")
}

// Without the policy, the operator alone keeps a stack from what is not allowed.
async fn ensure_nothing_is_created(namespace: &Namespace, on_nfs: &str) -> Result<()> {
    namespace.apply("late", on_nfs).await?;
    namespace.until_not_ready("late", Reason::ExportNotAllowed, SERVER).await?;
    ensure!(namespace.api::<PersistentVolumeClaim>().get_opt("late-db").await?.is_none());
    ensure!(namespace.api::<StatefulSet>().get_opt("late-db").await?.is_none());
    namespace.delete_and_wait("late").await?;

    namespace.apply("late", &spec_with_host("late.localhost")).await?;
    namespace.until_not_ready("late", Reason::HostNotAllowed, "late.localhost").await?;
    ensure!(namespace.api::<Ingress>().get_opt("late").await?.is_none());
    namespace.delete_and_wait("late").await
}

async fn ensure_host_is_corrected(namespace: &Namespace) -> Result<()> {
    let message = namespace.until_not_ready("web", Reason::HostNotAllowed, "allowedHosts").await?;
    let ingress = namespace.api::<Ingress>().get("web").await?;
    let host = ingress.spec.and_then(|spec| spec.rules?.pop()?.host);
    assert_eq!(host.as_deref(), Some("allowed.localhost"));
    let allowed = format!("web.{}.localhost", namespace.name);
    namespace.follow("web", &message, Step::Set("spec.exposure.host", Some(&allowed))).await?;
    let ready = namespace.until_ready("web").await?;
    ensure!(condition(&ready, ConditionType::Exposed).is_some_and(|it| it.status == "True"));
    Ok(())
}
