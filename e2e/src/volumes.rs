//! PersistentVolumes: their reclaim policy and phase, and those that tests leave behind.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
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

// Deletes the volumes that stacks retained in namespaces that are gone: their disks would fill the machine,
// and their exports would be kept from later tests.
pub async fn delete_retained(cluster: &Cluster) -> Result<()> {
    let volumes: Api<PersistentVolume> = cluster.api();
    let selector = ListParams::default().labels("todostack.dev/test!=keep");
    let found = volumes.list(&selector).await?;
    // After the volumes, so that the namespace of each is listed if it exists.
    let namespaces = cluster.api::<Namespace>().list_metadata(&ListParams::default()).await?;
    for volume in found {
        let Some(spec) = &volume.spec else { continue };
        let namespace = spec.claim_ref.as_ref().and_then(|claim| claim.namespace.as_ref());
        let is_gone = namespace.is_some_and(|name| !namespaces.iter().any(|it| it.name_any() == *name));
        if !is_gone {
            continue;
        }
        // Kubernetes deletes a volume with its data when it releases it. It cannot delete what is on an
        // export, and a volume that waits for another claim is not released.
        let is_waiting = volume.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Available");
        let deleted = if spec.nfs.is_some() || is_waiting {
            volumes.delete(&volume.name_any(), &DeleteParams::default()).await.map(drop)
        } else {
            let patch = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
            volumes.patch(&volume.name_any(), &PatchParams::default(), &patch).await.map(drop)
        };
        match deleted {
            Ok(()) => {}
            // Another test has deleted it.
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(error).context("failed to delete a retained volume"),
        }
    }
    Ok(())
}
