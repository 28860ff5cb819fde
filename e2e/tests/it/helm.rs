//! Helm: an uninstall keeps what people have, an upgrade brings the definition up to date.

use std::path::Path;

use anyhow::{Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::{Value, json};
use todostack_e2e::{
    cluster::{DEFINITION, OPERATOR, OPERATOR_NAMESPACE, repository},
    namespace::with_namespace_alone,
};

#[tokio::test]
async fn uninstalling_it_keeps_the_definition_and_the_stacks() -> Result<()> {
    with_namespace_alone("uninstall", async |namespace| {
        let cluster = &namespace.cluster;
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.ready("shop").await?;
        let todo = namespace.todos("shop").add("outlive the operator").await?;
        let folder = tempfile::tempdir()?;
        let values = folder.path().join("values.json");
        std::fs::write(
            &values,
            cluster
                .helm(&["get", "values", OPERATOR, "--namespace", OPERATOR_NAMESPACE, "--output", "json"])
                .await?,
        )?;

        for release in [OPERATOR, DEFINITION] {
            cluster.helm(&["uninstall", release, "--namespace", OPERATOR_NAMESPACE, "--wait"]).await?;
        }
        let kept = async {
            ensure!(namespace.stacks().get_opt("shop").await?.is_some(), "the stack is gone");
            assert_eq!(namespace.todos("shop").list().await?, vec![todo]);
            Ok::<_, anyhow::Error>(())
        }
        .await;
        let values = format!("--values={}", values.display());
        for (release, chart) in
            [(DEFINITION, "charts/todostack-crds"), (OPERATOR, "charts/todostack-operator")]
        {
            let mut install =
                vec!["upgrade", "--install", release, chart, "--namespace", OPERATOR_NAMESPACE, "--wait"];
            if release == OPERATOR {
                install.push(&values);
            } else {
                // The definition that was kept has the labels of the release that is gone; Helm asks for a word about it.
                install.push("--take-ownership");
            }
            cluster.helm(&install).await?;
        }
        kept?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

/// Alone, since the API server ends every watch of a definition that changes.
#[tokio::test]
async fn helm_upgrade_upgrades_the_definition() -> Result<()> {
    with_namespace_alone("upgrade", async |namespace| {
        let cluster = &namespace.cluster;
        let folder = tempfile::tempdir()?;
        let chart = folder.path().join("todostack-crds");
        copy(&repository().join("charts/todostack-crds"), &chart)?;
        let file = chart.join("files/todostacks.yaml");
        let mut definition: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file)?)?;
        definition["spec"]["names"]["shortNames"] = json!(["ts", "tstack"]);
        std::fs::write(&file, definition.to_string())?;

        let upgrade = async |chart: &str| {
            cluster.helm(&["upgrade", DEFINITION, chart, "--namespace", OPERATOR_NAMESPACE]).await
        };
        let outcome = upgrade(&chart.display().to_string()).await;
        let definitions = Api::<CustomResourceDefinition>::all(cluster.client.clone());
        let upgraded = definitions.get("todostacks.todostack.dev").await?.spec.names.short_names;
        upgrade("charts/todostack-crds").await?;
        outcome?;
        assert_eq!(upgraded, Some(vec!["ts".to_owned(), "tstack".to_owned()]));
        Ok(())
    })
    .await
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
