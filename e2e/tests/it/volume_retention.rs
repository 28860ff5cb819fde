//! Volumes that outlive their claim, their stack or their namespace, and stacks that find another volume than
//! their spec names.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use rstest::rstest;
use serde_json::json;
use todostack_crds::{ConditionType, Reason, TodoStack};
use todostack_e2e::{
    namespace::{Namespace, with_namespace, with_namespace_on_nfs_node},
    nfs_node::{self, postgres_on_export},
    remedy::Step,
    stack::{READY_WITHIN, SOON, condition},
    symptom::Symptom,
    volumes::{policy, until_phase, until_policy},
    wait,
};

async fn follow_command(namespace: &Namespace, message: &str, after: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let step = Step::Run { after, folder: Path::new(folder.path()), values: &[] };
    namespace.follow("shop", message, step).await
}

// Deletes the claim of a stack, does what the stack reports, and expects its todos back on the same volume.
async fn delete_claim_and_follow(namespace: &Namespace, claim: &str) -> Result<()> {
    let before = vec![namespace.todos("shop").add("outlive the claim").await?];
    let volume = namespace.bound_volume(claim).await?;
    let watch = namespace.watch_for("shop", Symptom::Applied).await?;
    let claims = namespace.api::<PersistentVolumeClaim>();
    let deleted = claims.get(claim).await?;
    claims.delete(claim, &DeleteParams::default()).await?;
    let message = watch.diagnosed_as(Reason::VolumeTerminating, "to a new claim").await?;
    follow_command(namespace, &message, "").await?;
    wait::until_replaced(&claims, &deleted, READY_WITHIN).await?;
    namespace.until_ready("shop").await?;
    assert_eq!(namespace.todos("shop").list_eventually().await?, before);
    assert_eq!(namespace.bound_volume(claim).await?, volume);
    Ok(())
}

#[rstest]
#[case::postgres("{api: {replicas: 1}}", "shop-db")]
#[case::sqlite("{database: {sqlite: {}}}", "shop-sqlite")]
#[case::deleted_with_the_stack("{deletionPolicy: Delete, api: {replicas: 1}}", "shop-db")]
fn a_deleted_claim_is_replaced_by_one_for_the_same_volume(
    #[case] spec: &str,
    #[case] claim: &str,
) -> Result<()> {
    with_namespace("pvcdelete", async |namespace| {
        namespace.apply_and_wait("shop", spec).await?;
        delete_claim_and_follow(namespace, claim).await
    })
}

#[test]
fn a_deleted_claim_of_an_export_is_replaced() -> Result<()> {
    with_namespace_on_nfs_node("pvcexport", async |namespace| {
        let path = namespace.export().await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        namespace.apply_and_wait("shop", &spec).await?;
        delete_claim_and_follow(namespace, "shop-db").await
    })
}

#[test]
fn the_reclaim_policy_of_a_volume_follows_the_deletion_policy() -> Result<()> {
    with_namespace("reclaim", async |namespace| {
        let spec = |policy: &str| format!("{{deletionPolicy: {policy}, database: {{sqlite: {{}}}}}}");
        namespace.apply_and_wait("shop", &spec("Delete")).await?;
        let volume = namespace.bound_volume("shop-sqlite").await?;
        assert_eq!(policy(&namespace.cluster, &volume).await?, "Delete");
        for wanted in ["Retain", "Delete", "Retain"] {
            namespace.apply("shop", &spec(wanted)).await?;
            until_policy(&namespace.cluster, &volume, wanted).await?;
        }
        // The last policy that the operator has seen counts, also when the stack is paused: with `Delete` the
        // volume goes with its stack.
        namespace.apply("shop", &format!("{{paused: true, {}", &spec("Delete")[1..])).await?;
        let is_awaited = |stack: Option<&TodoStack>| stack.is_some_and(|it| !it.finalizers().is_empty());
        wait::until(&namespace.stacks(), "shop", "with a finalizer", SOON, is_awaited).await?;
        namespace.delete_and_wait("shop").await?;
        wait::until_deleted(&namespace.cluster.api::<PersistentVolume>(), &volume, SOON * 4).await
    })
}

#[test]
fn a_volume_outlives_its_namespace_and_serves_a_stack_in_another_one() -> Result<()> {
    with_namespace("outlive", async |namespace| {
        let old = Namespace::create(&namespace.cluster, "gone").await?;
        let spec = "{api: {replicas: 1}}";
        old.apply_and_wait("shop", spec).await?;
        let before = vec![old.todos("shop").add("outlive the namespace").await?];
        let volume = old.bound_volume("shop-db").await?;
        let volumes: Api<PersistentVolume> = namespace.cluster.api();
        // So that the end of another test does not delete it.
        let keep = json!({"metadata": {"labels": {"todostack.dev/test": "keep"}}});
        volumes.patch(&volume, &PatchParams::default(), &Patch::Merge(keep)).await?;
        old.close().await?;
        old.until_deleted(READY_WITHIN).await?;
        until_phase(&namespace.cluster, &volume, "Released").await?;

        // As the README says.
        let claim = json!({"namespace": namespace.name, "uid": null, "resourceVersion": null});
        let patch =
            json!({"metadata": {"labels": {"todostack.dev/test": null}}, "spec": {"claimRef": claim}});
        volumes.patch(&volume, &PatchParams::default(), &Patch::Merge(patch)).await?;
        namespace.apply_and_wait("shop", spec).await?;
        assert_eq!(namespace.bound_volume("shop-db").await?, volume);
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        Ok(())
    })
}

#[test]
fn a_stack_that_comes_back_with_another_export_starts_on_none_until_the_remedy_is_followed() -> Result<()> {
    with_namespace_on_nfs_node("otherexport", async |namespace| {
        let spec = |path: &str| {
            format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(path))
        };
        let first = namespace.export().await?;
        let second = nfs_node::export(&format!("{}-2", namespace.name), "999:999", "0700").await?;
        namespace.apply_and_wait("shop", &spec(&first)).await?;
        let before = vec![namespace.todos("shop").add("stay on the export").await?];

        ensure_mismatch(namespace, &spec(&second), &second).await?;
        ensure_mismatch(namespace, &spec(&first), &first).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        Ok(())
    })
}

// Creates the stack again with this spec, and follows the remedy of VolumeMismatch until the claim is bound
// to the export.
async fn ensure_mismatch(namespace: &Namespace, spec: &str, path: &str) -> Result<()> {
    namespace.delete_and_wait("shop").await?;
    let pods = async || namespace.kubectl(&["get", "pods", "--output", "name"]).await;
    wait::eventually("without its pods", READY_WITHIN, async || {
        let left = pods().await?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    })
    .await?;
    let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
    let message = watch.diagnosed_as(Reason::VolumeMismatch, path).await?;
    let started = pods().await?;
    ensure!(!started.contains("shop-db"), "{started}");
    follow_command(namespace, &message, "whose data is kept").await?;
    wait::eventually("bound to the export", SOON, async || {
        let volume = namespace.bound_volume("shop-db").await?;
        let volume = namespace.cluster.api::<PersistentVolume>().get(&volume).await?;
        let nfs = volume.spec.and_then(|spec| spec.nfs).context("no export")?;
        ensure!(nfs.path == path, "bound to {}", nfs.path);
        Ok(())
    })
    .await
}

#[test]
fn a_stack_that_comes_back_with_an_export_instead_of_a_class_keeps_the_data_of_the_class() -> Result<()> {
    with_namespace_on_nfs_node("otherkind", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let volume = namespace.bound_volume("shop-db").await?;
        let path = namespace.export().await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        ensure_mismatch(namespace, &spec, &path).await?;
        until_phase(&namespace.cluster, &volume, "Released").await
    })
}

// 192.0.2.1 is no server: no pod starts.
#[test]
fn a_claim_whose_volume_was_deleted_is_reported_and_replaced() -> Result<()> {
    with_namespace("lost", async |namespace| {
        let spec = "{database: {postgres: {storage: {nfs: {server: 192.0.2.1, path: /exports/lost}}}}}";
        namespace.apply("shop", spec).await?;
        let bound = async || namespace.bound_volume("shop-db").await;
        let volume = wait::eventually("bound", SOON, bound).await?;
        until_phase(&namespace.cluster, &volume, "Bound").await?;
        let volumes: Api<PersistentVolume> = namespace.cluster.api();
        let old = volumes.get(&volume).await?.metadata.uid;
        volumes.delete(&volume, &DeleteParams::default()).await?;
        let unprotected = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        volumes.patch(&volume, &PatchParams::default(), &unprotected).await?;
        // The operator creates the volume again. If the volume controller has marked the claim as lost
        // before, it stays lost until it is replaced.
        let lost = wait::eventually("lost, or bound to the new volume", READY_WITHIN, async || {
            let stack = namespace.stacks().get("shop").await?;
            let ready = condition(&stack, ConditionType::Ready).context("not reported")?;
            if ready.reason == Reason::VolumeLost.as_str() {
                return Ok(Some(ready.message.clone()));
            }
            let new = volumes.get(&volume).await?;
            let phase = new.status.and_then(|status| status.phase);
            ensure!(new.metadata.uid != old && phase.as_deref() == Some("Bound"), "phase {phase:?}");
            Ok(None)
        })
        .await?;
        if let Some(message) = lost {
            follow_command(namespace, &message, "Replace the claim").await?;
        }
        let is_bound = |claim: Option<&PersistentVolumeClaim>| {
            let phase = claim.and_then(|claim| claim.status.as_ref()?.phase.as_deref());
            phase == Some("Bound")
        };
        wait::until(&namespace.api(), "shop-db", "bound again", READY_WITHIN, is_bound).await.map(drop)
    })
}
