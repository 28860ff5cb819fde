//! The commands of every example's README work, and its stack serves todos.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use rstest::rstest;
use todostack_e2e::{
    cluster::{Cluster, repository},
    namespace::{with_namespace, with_namespace_on_nfs_node},
    nfs_node::postgres_on_export,
    todos::Todos,
};

// The example's folder, and the name of its stack.
#[rstest]
#[case::minimal("minimal", "minimal")]
#[case::storage_class("storage-class", "storage-class")]
#[case::external_database("external-database", "external")]
#[case::sqlite("sqlite", "sqlite")]
#[case::ingress_tls("ingress-tls", "shop")]
#[case::init_scripts("init-scripts", "products")]
#[case::gateway("gateway", "gateway")]
fn the_readme_of_an_example_works(#[case] folder: &str, #[case] stack: &str) -> Result<()> {
    with_namespace("example", async |namespace| {
        let printed = namespace.run_readme(&format!("examples/{folder}/README.md")).await?;
        ensure!(printed.contains("condition met"), "{printed}");
        let todo = namespace.todos(stack).add("try the example").await?;
        assert_eq!(namespace.todos(stack).list().await?, vec![todo]);
        Ok(())
    })
}

// It has its own namespace, where the stack of `cargo xtask up` may exist already.
#[test]
fn the_readme_of_the_demo_works() -> Result<()> {
    with_namespace("demo", async |namespace| {
        namespace.run_readme("examples/demo/README.md").await?;
        let todos = Todos::at_host("todolist.localhost").list_eventually().await?;
        ensure!(todos.iter().any(|todo| todo.title == "Water the plants"), "{todos:?}");
        Ok(())
    })
}

// With the test cluster's NFS server instead of the example's.
#[test]
fn the_nfs_example_works_on_an_export() -> Result<()> {
    with_namespace_on_nfs_node("example", async |namespace| {
        let path = namespace.export().await?;
        let text = std::fs::read_to_string(repository().join("examples/nfs/todostack.yaml"))?;
        let mut example: serde_json::Value = serde_saphyr::from_str(&text)?;
        let postgres = &mut example["spec"]["database"]["postgres"];
        let on_export: serde_json::Value = serde_saphyr::from_str(&postgres_on_export(&path))?;
        for (field, value) in on_export.as_object().context("postgres_on_export is an object")? {
            postgres[field] = value.clone();
        }
        namespace.apply_and_wait("nfs", &example["spec"].to_string()).await?;
        namespace.todos("nfs").add("try the example").await.map(drop)
    })
}

#[tokio::test]
async fn every_example_has_a_test() -> Result<()> {
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(repository().join("examples"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.insert(entry.file_name().into_string().ok().context("a folder's name is not UTF-8")?);
        }
    }
    // `cargo xtask compose` tests that one, which needs no cluster.
    assert!(folders.remove("compose"));
    let tested = "demo external-database gateway ingress-tls init-scripts minimal nfs sqlite storage-class";
    assert_eq!(folders, tested.split(' ').map(str::to_owned).collect());
    Ok(())
}

// Unchanged, with the address of a server that does not exist.
#[tokio::test]
async fn the_manifest_of_the_nfs_example_is_valid() -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    cluster.kubectl(&["apply", "--dry-run=server", "--filename", "examples/nfs"]).await.map(drop)
}
