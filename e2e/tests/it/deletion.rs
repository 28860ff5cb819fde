//! What becomes of a stack's objects and data when it, or its namespace, is deleted.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::Api;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    stack::{READY_WITHIN, SOON},
    wait,
};

/// All kinds that the operator writes in a namespace, and the pods they bring.
const KINDS: &str =
    "deployments,statefulsets,jobs,pods,services,ingresses,serviceaccounts,secrets,persistentvolumeclaims";

/// Waits until the stack's objects in the namespace are just these, as `kind/name`.
async fn left(namespace: &Namespace, expected: &[&str]) -> Result<()> {
    let arguments = ["get", KINDS, "--selector", "todostack.dev/stack=shop", "--output", "name"];
    wait::eventually("removed", SOON * 2, async || {
        let printed = namespace.kubectl(&arguments).await?;
        let present: Vec<_> = printed.lines().collect();
        ensure!(present == expected, "left: {present:?}");
        Ok(())
    })
    .await
}

async fn bound_volume(namespace: &Namespace) -> Result<String> {
    let claim = namespace.api::<PersistentVolumeClaim>().get("shop-db").await?;
    claim.spec.and_then(|spec| spec.volume_name).context("the claim is not bound")
}

#[tokio::test]
async fn a_stack_that_was_deleted_with_retain_goes_on_with_its_todos() -> Result<()> {
    with_namespace("retain", async |namespace| {
        namespace.apply("shop", "{deletionPolicy: Retain}").await?;
        namespace.ready("shop").await?;
        let before = vec![namespace.todos("shop").add("outlive the stack").await?];
        let volume = bound_volume(namespace).await?;

        namespace.remove("shop").await?;
        left(namespace, &["secret/shop-db-app", "secret/shop-db-superuser", "persistentvolumeclaim/shop-db"])
            .await?;

        namespace.apply("shop", "{deletionPolicy: Retain}").await?;
        namespace.ready("shop").await?;
        assert_eq!(namespace.todos("shop").answered().await?, before);
        assert_eq!(bound_volume(namespace).await?, volume);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stack_that_was_deleted_with_delete_leaves_nothing() -> Result<()> {
    with_namespace("delete", async |namespace| {
        namespace.apply("shop", "{deletionPolicy: Delete}").await?;
        namespace.ready("shop").await?;
        let volume = bound_volume(namespace).await?;

        namespace.remove("shop").await?;
        left(namespace, &[]).await?;
        let volumes = Api::<PersistentVolume>::all(namespace.cluster.client.clone());
        let gone = |found: Option<&PersistentVolume>| found.is_none();
        wait::until(&volumes, &volume, ("gone", SOON * 2), gone).await.map(drop)
    })
    .await
}

/// The choice may be made last: what was kept is then owned, and goes.
#[tokio::test]
async fn the_policy_that_counts_is_that_of_the_last_moment() -> Result<()> {
    with_namespace("change", async |namespace| {
        namespace.apply("shop", "{database: {sqlite: {}}, deletionPolicy: Retain}").await?;
        namespace.ready("shop").await?;
        namespace.apply("shop", "{database: {sqlite: {}}, deletionPolicy: Delete}").await?;
        namespace.ready("shop").await?;
        namespace.remove("shop").await?;
        left(namespace, &[]).await
    })
    .await
}

#[tokio::test]
async fn deleting_a_namespace_takes_the_stack_with_it_and_does_not_hang() -> Result<()> {
    with_namespace("nsdelete", async |namespace| {
        namespace.apply("shop", "{}").await?;
        namespace.ready("shop").await?;
        namespace.delete().await?;
        namespace.gone(READY_WITHIN).await
    })
    .await
}
