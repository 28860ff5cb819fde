//! Every example works by the commands of its README, and serves todos.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use rstest::rstest;
use todostack_e2e::{
    cluster::{Cluster, repository},
    namespace::with_namespace,
    nfs_node,
    todos::Todos,
};

/// Folder, and the stack's name in it.
#[rstest]
#[case::minimal("minimal", "minimal")]
#[case::storage_class("storage-class", "storage-class")]
#[case::external_database("external-database", "external")]
#[case::sqlite("sqlite", "sqlite")]
#[case::ingress_tls("ingress-tls", "shop")]
#[case::init_scripts("init-scripts", "products")]
#[case::gateway("gateway", "gateway")]
#[tokio::test]
async fn an_example_works_as_its_readme_says(#[case] folder: &str, #[case] stack: &str) -> Result<()> {
    with_namespace("example", async |namespace| {
        let printed = namespace.follow(&format!("examples/{folder}/README.md")).await?;
        ensure!(printed.contains("condition met"), "{printed}");
        let made = namespace.todos(stack).add("try the example").await?;
        assert_eq!(namespace.todos(stack).list().await?, vec![made]);
        Ok(())
    })
    .await
}

/// It brings its own namespace, where the stack of `cargo xtask up` may be already.
#[tokio::test]
async fn the_demo_works_as_its_readme_says() -> Result<()> {
    with_namespace("demo", async |namespace| {
        namespace.follow("examples/demo/README.md").await?;
        let todos = Todos::at("todolist.localhost").answered().await?;
        ensure!(todos.iter().any(|todo| todo.title == "Water the plants"), "{todos:?}");
        Ok(())
    })
    .await
}

/// With the address of the test cluster's NFS server in place of the example's.
#[tokio::test]
async fn the_nfs_example_works_on_a_real_export() -> Result<()> {
    with_namespace("example", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let path = nfs_node::export(&namespace.name, "999:999", "0700").await?;
        let text = std::fs::read_to_string(repository().join("examples/nfs/todostack.yaml"))?;
        let mut example: serde_json::Value = serde_saphyr::from_str(&text)?;
        let postgres = &mut example["spec"]["database"]["postgres"];
        let there: serde_json::Value = serde_saphyr::from_str(&nfs_node::postgres_on(&path))?;
        for (field, value) in there.as_object().context("postgres_on is an object")? {
            postgres[field] = value.clone();
        }
        namespace.apply("nfs", &example["spec"].to_string()).await?;
        namespace.ready("nfs").await?;
        namespace.todos("nfs").add("try the example").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn no_example_is_left_out_here() -> Result<()> {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(repository().join("examples"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.insert(entry.file_name().into_string().ok().context("a folder's name is not UTF-8")?);
        }
    }
    let tried = [
        "demo",
        "external-database",
        "gateway",
        "ingress-tls",
        "init-scripts",
        "minimal",
        "nfs",
        "sqlite",
        "storage-class",
    ];
    assert_eq!(folders, tried.map(str::to_owned).into());
    Ok(())
}

/// The manifest of the NFS example itself is taken by the API server as it stands.
#[tokio::test]
async fn the_nfs_example_is_valid_as_it_stands() -> Result<()> {
    let (cluster, _guard) = Cluster::shared().await?;
    cluster.kubectl(&["apply", "--dry-run=server", "--filename", "examples/nfs"]).await.map(drop)
}
