//! PersistentVolumes: their reclaim policy and phase, and those that tests leave behind.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;

use crate::{cluster::Cluster, stack::SOON, wait};

pub async fn policy(cluster: &Cluster, volume: &str) -> Result<String> {
    let volume = cluster.api::<PersistentVolume>().get(volume).await?;
    volume.spec.and_then(|spec| spec.persistent_volume_reclaim_policy).context("no reclaim policy")
}

pub async fn until_policy(cluster: &Cluster, volume: &str, wanted: &str) -> Result<()> {
    wait::eventually(wanted, SOON, async || {
        let policy = policy(cluster, volume).await?;
        ensure!(policy == wanted, "the reclaim policy is {policy}");
        Ok(())
    })
    .await
}

pub async fn until_phase(cluster: &Cluster, volume: &str, wanted: &str) -> Result<()> {
    let has_phase = |volume: Option<&PersistentVolume>| {
        volume.and_then(|volume| volume.status.as_ref()?.phase.as_deref()) == Some(wanted)
    };
    wait::until(&cluster.api(), volume, wanted, SOON * 2, has_phase).await.map(drop)
}

// Deletes the volumes that stacks retained in namespaces that are gone: their disks would fill the machine.
pub async fn delete_retained(cluster: &Cluster) -> Result<()> {
    let volumes: Api<PersistentVolume> = cluster.api();
    let namespaces = cluster.api::<Namespace>().list_metadata(&ListParams::default()).await?;
    let selector = ListParams::default().labels("todostack.dev/test!=keep");
    for volume in volumes.list(&selector).await? {
        let Some(spec) = &volume.spec else { continue };
        let namespace = spec.claim_ref.as_ref().and_then(|claim| claim.namespace.as_ref());
        let is_gone = namespace.is_some_and(|name| !namespaces.iter().any(|it| it.name_any() == *name));
        // Kubernetes cannot delete what is on an export.
        if !is_gone || spec.nfs.is_some() {
            continue;
        }
        let patch = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
        match volumes.patch(&volume.name_any(), &PatchParams::default(), &patch).await {
            Ok(_) => {}
            // Another test has deleted it.
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(error).context("failed to delete a retained volume"),
        }
    }
    Ok(())
}
