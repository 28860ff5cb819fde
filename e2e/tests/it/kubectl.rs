//! Stacks with `kubectl` alone: get, explain, scale.

use anyhow::{Result, ensure};
use todostack_crds::Reason;
use todostack_e2e::{cluster::Cluster, namespace::with_namespace};

#[test]
fn get_prints_the_health_and_the_url_of_a_stack() -> Result<()> {
    with_namespace("columns", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: columns.localhost}}";
        namespace.apply_and_wait("shop", spec).await?;
        let printed = namespace.kubectl(&["get", "todostacks"]).await?;
        let rows: Vec<Vec<_>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            rows.first().map(Vec::as_slice),
            Some(&["NAME", "READY", "REASON", "API", "DB", "URL", "AGE"][..])
        );
        let row = rows.get(1).map(|row| row.get(..5)).unwrap_or_default();
        assert_eq!(row, Some(&["shop", "True", "AsExpected", "1/1", "sqlite"][..]), "{printed}");
        ensure!(printed.contains("://columns.localhost"), "{printed}");
        Ok(())
    })
}

#[tokio::test]
async fn explain_describes_the_storage() -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    let printed = cluster.kubectl(&["explain", "todostack.spec.database.postgres.storage"]).await?;
    // kubectl wraps descriptions at 80 columns.
    let unwrapped = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in ["An export of an NFS server", "status.storage.size", "the cluster's default StorageClass"] {
        ensure!(unwrapped.contains(text), "{text}: {printed}");
    }
    Ok(())
}

#[test]
fn scale_changes_the_number_of_api_pods() -> Result<()> {
    with_namespace("scale", async |namespace| {
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        namespace.kubectl(&["scale", "todostack/shop", "--replicas=0"]).await?;
        let deleted =
            ["wait", "--for=delete", "pod", "--selector", "todostack.dev/stack=shop", "--timeout=60s"];
        namespace.kubectl(&deleted).await?;
        namespace.until_not_ready("shop", Reason::ScaledToZero, "no API pod is desired").await?;
        namespace.kubectl(&["scale", "todostack/shop", "--replicas=1"]).await?;
        namespace
            .kubectl(&["wait", "--for=jsonpath={.status.api.ready}=1/1", "todostack/shop", "--timeout=60s"])
            .await?;
        Ok(())
    })
}
