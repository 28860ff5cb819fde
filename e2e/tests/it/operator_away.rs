//! A stack that is deleted while the operator does not run.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use kube::api::DeleteParams;
use todostack_e2e::{
    namespace::{Namespace, with_namespace_alone},
    stack::SOON,
    wait,
};

use crate::{operator::scale, plugin::Plugin};

#[test]
fn a_deletion_that_waits_for_the_operator_ends_by_release_and_keeps_the_data() -> Result<()> {
    with_namespace_alone("released", async |namespace| {
        namespace.apply_and_wait("shop", "{deletionPolicy: Delete}").await?;
        let plugin = Plugin::build(namespace).await?;
        let too_early = plugin.run("release", &["shop", "--yes"]).await?;
        ensure!(
            too_early.code == Some(2) && too_early.text.contains("is not being deleted"),
            "{too_early:?}"
        );

        scale(&namespace.cluster, 0).await?;
        let outcome = ensure_released(namespace, &plugin).await;
        scale(&namespace.cluster, 1).await?;
        outcome
    })
}

async fn ensure_released(namespace: &Namespace, plugin: &Plugin) -> Result<()> {
    namespace.stacks().delete("shop", &DeleteParams::default()).await?;
    let asked = plugin.run("release", &["shop"]).await?;
    assert_eq!(asked.code, Some(1), "{}", asked.text);
    for text in ["PersistentVolumeClaim shop-db", "delete secrets shop-db-app", "--yes"] {
        ensure!(asked.text.contains(text), "{text}: {}", asked.text);
    }
    ensure!(namespace.stacks().get_opt("shop").await?.is_some(), "it was released without --yes");

    let released = plugin.run("release", &["shop", "--yes"]).await?;
    assert_eq!(released.code, Some(0), "{}", released.text);
    wait::until_deleted(&namespace.stacks(), "shop", SOON).await?;
    namespace.api::<PersistentVolumeClaim>().get("shop-db").await?;
    namespace.api::<Secret>().get("shop-db-app").await?;
    Ok(())
}
