//! Which objects and data are retained when a stack, or its namespace, is deleted.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::PersistentVolume;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    stack::{READY_WITHIN, SOON},
    wait,
};

// All namespaced kinds that the operator manages, and pods.
const KINDS: &str =
    "deployments,statefulsets,jobs,pods,services,ingresses,serviceaccounts,secrets,persistentvolumeclaims";

// Waits until the stack has exactly these objects in the namespace, as `kind/name`.
async fn until_retained(namespace: &Namespace, expected: &[&str]) -> Result<()> {
    let arguments = ["get", KINDS, "--selector", "todostack.dev/stack=shop", "--output", "name"];
    wait::eventually("deleted", SOON * 2, async || {
        let printed = namespace.kubectl(&arguments).await?;
        let present: Vec<_> = printed.lines().collect();
        ensure!(present == expected, "retained: {present:?}");
        Ok(())
    })
    .await
}

#[test]
fn a_stack_that_was_deleted_with_retain_gets_its_todos_back() -> Result<()> {
    with_namespace("retain", async |namespace| {
        namespace.apply_and_wait("shop", "{deletionPolicy: Retain}").await?;
        let before = vec![namespace.todos("shop").add("outlive the stack").await?];
        let volume = namespace.bound_volume("shop-db").await?;

        namespace.delete_and_wait("shop").await?;
        let retained = ["secret/shop-db-app", "secret/shop-db-superuser", "persistentvolumeclaim/shop-db"];
        until_retained(namespace, &retained).await?;

        namespace.apply_and_wait("shop", "{deletionPolicy: Retain}").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        assert_eq!(namespace.bound_volume("shop-db").await?, volume);
        Ok(())
    })
}

#[test]
fn nothing_is_retained_of_a_stack_that_is_deleted_with_delete() -> Result<()> {
    with_namespace("delete", async |namespace| {
        namespace.apply_and_wait("shop", "{deletionPolicy: Delete}").await?;
        let volume = namespace.bound_volume("shop-db").await?;
        namespace.delete_and_wait("shop").await?;
        until_retained(namespace, &[]).await?;
        wait::until_deleted(&namespace.cluster.api::<PersistentVolume>(), &volume, SOON * 2).await
    })
}

#[test]
fn a_policy_that_changes_to_delete_deletes_what_would_have_been_retained() -> Result<()> {
    with_namespace("change", async |namespace| {
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}, deletionPolicy: Retain}").await?;
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}, deletionPolicy: Delete}").await?;
        namespace.delete_and_wait("shop").await?;
        until_retained(namespace, &[]).await
    })
}

#[test]
fn a_policy_that_changes_to_retain_while_paused_retains() -> Result<()> {
    with_namespace("paused", async |namespace| {
        namespace.apply_and_wait("shop", "{deletionPolicy: Delete}").await?;
        namespace.apply("shop", "{deletionPolicy: Retain, paused: true}").await?;
        namespace.delete_and_wait("shop").await?;
        let retained = ["secret/shop-db-app", "secret/shop-db-superuser", "persistentvolumeclaim/shop-db"];
        until_retained(namespace, &retained).await
    })
}

#[test]
fn a_finalizer_that_another_manager_has_set_does_not_block_the_deletion() -> Result<()> {
    with_namespace("finalizer", async |namespace| {
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        let patch = r#"{"metadata":{"finalizers":["todostack.dev/cleanup"]}}"#;
        namespace.kubectl(&["patch", "todostack", "shop", "--type=merge", "--patch", patch]).await?;
        namespace.delete_and_wait("shop").await
    })
}

#[test]
fn a_namespace_with_a_stack_can_be_deleted() -> Result<()> {
    with_namespace("nsdelete", async |namespace| {
        namespace.apply_and_wait("shop", "{}").await?;
        namespace.delete().await?;
        namespace.until_deleted(READY_WITHIN).await
    })
}
