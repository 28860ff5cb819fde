//! Helm: uninstalling retains the stacks and their CRD, an upgrade upgrades the CRD, and a second operator is
//! refused.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};
use todostack_e2e::{
    cluster::{CRD, CRD_RELEASE, Cluster, OPERATOR, OPERATOR_NAMESPACE, repository},
    namespace::with_namespace_alone,
};

#[test]
fn uninstalling_the_charts_retains_the_crd_and_the_stacks() -> Result<()> {
    with_namespace_alone("uninstall", async |namespace| {
        let cluster = &namespace.cluster;
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        let todo = namespace.todos("shop").add("outlive the operator").await?;
        let folder = tempfile::tempdir()?;
        let values = folder.path().join("values.json");
        std::fs::write(
            &values,
            cluster
                .helm(&["get", "values", OPERATOR, "--namespace", OPERATOR_NAMESPACE, "--output", "json"])
                .await?,
        )?;

        for release in [OPERATOR, CRD_RELEASE] {
            cluster.helm(&["uninstall", release, "--namespace", OPERATOR_NAMESPACE, "--wait"]).await?;
        }
        let retained = async {
            ensure!(namespace.stacks().get_opt("shop").await?.is_some(), "the stack does not exist");
            assert_eq!(namespace.todos("shop").list().await?, vec![todo]);
            Ok::<_, anyhow::Error>(())
        }
        .await;
        let values = format!("--values={}", values.display());
        for (release, chart) in
            [(CRD_RELEASE, "charts/todostack-crds"), (OPERATOR, "charts/todostack-operator")]
        {
            let mut install =
                vec!["upgrade", "--install", release, chart, "--namespace", OPERATOR_NAMESPACE, "--wait"];
            if release == OPERATOR {
                install.push(&values);
            } else {
                // The retained CRD has the labels of the uninstalled release, which Helm rejects without this
                // flag.
                install.push("--take-ownership");
            }
            cluster.helm(&install).await?;
        }
        retained?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[tokio::test]
async fn a_second_release_for_all_namespaces_is_refused() -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    // A dry run on the server: `lookup` finds what is installed.
    let install = ["install", "second", "charts/todostack-operator", "--namespace", "default"];
    let all = cluster.helm(&[&install[..], &["--dry-run=server"]].concat()).await;
    let error = format!("{:#}", all.err().context("a second release was not refused")?);
    ensure!(error.contains("in all namespaces already"), "{error}");
    let one = ["--dry-run=server", "--set=watchNamespaces={shops}"];
    cluster.helm(&[&install[..], &one].concat()).await.map(drop)
}

// Alone, because the API server ends all watches of a CRD that changes.
#[test]
fn upgrading_the_chart_upgrades_the_crd() -> Result<()> {
    with_namespace_alone("upgrade", async |namespace| {
        let cluster = &namespace.cluster;
        let folder = tempfile::tempdir()?;
        let chart = folder.path().join("todostack-crds");
        copy_folder(&repository().join("charts/todostack-crds"), &chart)?;
        let file = chart.join("files/todostacks.yaml");
        let mut crd: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file)?)?;
        crd["spec"]["names"]["shortNames"] = json!(["ts", "tstack"]);
        std::fs::write(&file, crd.to_string())?;

        let upgrade = async |chart: &str| {
            cluster.helm(&["upgrade", CRD_RELEASE, chart, "--namespace", OPERATOR_NAMESPACE]).await
        };
        let outcome = upgrade(&chart.display().to_string()).await;
        let crds = cluster.api::<CustomResourceDefinition>();
        let upgraded = crds.get(CRD).await?.spec.names.short_names;
        upgrade("charts/todostack-crds").await?;
        outcome?;
        assert_eq!(upgraded, Some(vec!["ts".to_owned(), "tstack".to_owned()]));
        Ok(())
    })
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
