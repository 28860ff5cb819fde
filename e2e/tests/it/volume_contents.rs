//! Volumes that do not hold the database of their stack: lost, replaced, in another layout, or of another
//! version. What is wrong with an export itself is in `nfs_exports.rs`.

use std::path::Path;

use anyhow::{Context as _, Result};
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    nfs_stand_in::SERVER,
    remedy::Step,
    stack::SOON,
    symptom::Symptom,
    wait,
};

fn accept() -> Step<'static> {
    Step::Run { after: ", run: ", folder: Path::new("."), values: &[] }
}

// Waits until the identity of the database is in the Secret, which outlives the stack.
async fn until_recorded(namespace: &Namespace) -> Result<()> {
    let key = ["get", "secret", "shop-db-superuser", "--output", "jsonpath={.data.system-identifier}"];
    wait::eventually("recorded", SOON, async || {
        let value = namespace.kubectl(&key).await?;
        anyhow::ensure!(!value.is_empty(), "no system identifier");
        Ok(())
    })
    .await
}

async fn delete_pod(namespace: &Namespace) -> Result<()> {
    namespace.kubectl(&["delete", "pod", "shop-db-0", "--wait=false"]).await.map(drop)
}

// As an export whose disk is not mounted.
#[test]
fn a_lost_volume_is_not_initialized_until_the_user_accepts_it() -> Result<()> {
    with_namespace("lost", async |namespace| {
        let folder = namespace.stand_in_export()?;
        namespace.apply_and_wait("shop", &namespace.on_stand_in(SERVER, "")).await?;
        until_recorded(namespace).await?;
        namespace.todos("shop").add("be on the lost volume").await?;
        let watch = namespace.watch_for("shop", Symptom::ContainerFailed).await?;
        std::fs::rename(folder.join("18"), folder.join(".first"))?;
        delete_pod(namespace).await?;
        let message = watch.diagnosed_as(Reason::VolumeLost, "todostack.dev/accept-new-volume=").await?;

        namespace.follow("shop", &message, accept()).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, []);
        // The annotation, which is still there, accepts no second loss.
        until_recorded(namespace).await?;
        std::fs::rename(folder.join("18"), folder.join(".second"))?;
        delete_pod(namespace).await?;
        namespace.until_not_ready("shop", Reason::VolumeLost, "accept-new-volume=").await.map(drop)
    })
}

// A directory that was restored from another stack, or an export that was mounted at another place.
#[test]
fn a_replaced_volume_is_not_used_until_the_user_accepts_it() -> Result<()> {
    with_namespace("replaced", async |namespace| {
        let folder = namespace.stand_in_export()?;
        let spec = namespace.on_stand_in(SERVER, "");
        namespace.apply_and_wait("shop", &spec).await?;
        until_recorded(namespace).await?;
        namespace.delete_and_wait("shop").await?;
        until_stopped(namespace).await?;
        // Its identifier is the first field of the control file, over which Postgres has a checksum: so
        // another database is made by another stack.
        std::fs::rename(folder.join("18"), folder.join(".first"))?;
        namespace.kubectl(&["delete", "secret", "shop-db-superuser", "shop-db-app"]).await?;
        namespace.apply_and_wait("shop", &spec).await?;
        until_recorded(namespace).await?;
        let todo = vec![namespace.todos("shop").add("be on the second volume").await?];
        namespace.delete_and_wait("shop").await?;
        until_stopped(namespace).await?;
        std::fs::rename(folder.join("18"), folder.join(".second"))?;
        std::fs::rename(folder.join(".first"), folder.join("18"))?;

        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::VolumeReplaced, "accept-new-volume=").await?;
        // With its volume back, it goes on.
        std::fs::rename(folder.join("18"), folder.join(".first"))?;
        std::fs::rename(folder.join(".second"), folder.join("18"))?;
        delete_pod(namespace).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, todo);
        // Or with the other one. A server that runs would write into it while it stops.
        namespace.delete_and_wait("shop").await?;
        until_stopped(namespace).await?;
        std::fs::rename(folder.join("18"), folder.join(".second"))?;
        std::fs::rename(folder.join(".first"), folder.join("18"))?;
        namespace.apply("shop", &spec).await?;
        namespace.until_not_ready("shop", Reason::VolumeReplaced, "accept-new-volume=").await?;
        namespace.follow("shop", &message, accept()).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, []);
        Ok(())
    })
}

async fn until_stopped(namespace: &Namespace) -> Result<()> {
    wait::until_deleted(
        &namespace.api::<k8s_openapi::api::core::v1::Pod>(),
        "shop-db-0",
        todostack_e2e::stack::READY_WITHIN,
    )
    .await
}

// What `subPath: postgres` of another chart leaves.
#[test]
fn data_in_another_layout_is_named_and_the_remedy_moves_it_in_place() -> Result<()> {
    with_namespace("layout", async |namespace| {
        let folder = namespace.stand_in_export()?;
        let spec = namespace.on_stand_in(SERVER, "");
        namespace.apply_and_wait("shop", &spec).await?;
        let todo = vec![namespace.todos("shop").add("be found").await?];
        namespace.delete_and_wait("shop").await?;
        until_stopped(namespace).await?;
        std::fs::rename(folder.join("18/docker"), folder.join("postgres"))?;
        std::fs::remove_dir_all(folder.join("18"))?;
        namespace.kubectl(&["delete", "secret", "shop-db-superuser", "shop-db-app"]).await?;

        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::VersionMismatch, "Postgres 18 in /postgres").await?;
        let (_, command) = message.split_once("move it: ").context("no command")?;
        namespace.run_on_stand_in(command)?;
        delete_pod(namespace).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, todo);
        Ok(())
    })
}

#[test]
fn data_of_another_version_is_named_and_served_once_the_spec_has_that_version() -> Result<()> {
    with_namespace("older", async |namespace| {
        namespace.stand_in_export()?;
        namespace.apply_and_wait("shop", &namespace.on_stand_in(SERVER, ", version: \"17\"")).await?;
        let todo = vec![namespace.todos("shop").add("be served by its version").await?];
        namespace.delete_and_wait("shop").await?;
        until_stopped(namespace).await?;
        // As on an export that came from elsewhere.
        namespace.kubectl(&["delete", "secret", "shop-db-superuser", "shop-db-app"]).await?;

        let spec = namespace.on_stand_in(SERVER, "");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::VersionMismatch, "Postgres 17 in /17/docker").await?;
        namespace.follow("shop", &message, Step::Set("spec.database.postgres.version", None)).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, todo);
        Ok(())
    })
}

#[test]
fn an_image_of_another_version_is_reported_before_anything_is_initialized() -> Result<()> {
    with_namespace("major", async |namespace| {
        let folder = namespace.stand_in_export()?;
        let settings = ", version: \"17\", image: 'docker.io/library/postgres:18'";
        let spec = namespace.on_stand_in(SERVER, settings);
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::VersionMismatch, "has Postgres 18").await?;
        assert!(!folder.join("17").exists());
        let step = Step::Set("spec.database.postgres.version", None);
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
