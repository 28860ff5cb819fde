//! Volumes that the kubelet cannot mount, or mounts as Postgres must not have them. Real NFS, on its own node.

use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::{
    core::v1::{PersistentVolume, PersistentVolumeClaim},
    storage::v1::StorageClass,
};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use rstest::rstest;
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    nfs_node::{self, postgres_on, postgres_with},
    stack::SOON,
    symptom::Symptom,
    wait,
};

/// The class of volumes that an administrator makes by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// A program that the cluster does not run.
const ABSENT_PROVISIONER: &str = "example.com/none";
/// How long the operator lets a provisioner be silent.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_export_that_is_not_there_is_named_and_the_stack_goes_on_when_it_is() -> Result<()> {
    with_namespace("noexport", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let path = format!("/exports/{}", namespace.name);
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on(&path));
        let cause = (Reason::ExportNotFound, path.as_str());
        namespace.apply_and_see(("shop", &spec), Symptom::MountFails, cause).await?;
        nfs_node::export(&namespace.name, "999:999", "0700").await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

/// Version 3 of the protocol tells a client that it is not let in; version 4 hides the export from it.
#[tokio::test]
async fn an_export_to_another_client_is_named() -> Result<()> {
    with_namespace("refused", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let here = format!("/srv/exports/{}", namespace.name);
        let file = format!("/etc/exports.d/{}.exports", namespace.name);
        let line = format!(
            "nfs-export {} 999:999 0700; sed -i 's/ \\*(/ 192.0.2.7(/' {file}; exportfs -ra",
            namespace.name
        );
        nfs_node::run(&line).await?;
        let storage = nfs(nfs_node::SERVER, &here, "hard, nfsvers=3");
        let spec = format!("{{database: {{postgres: {}}}}}", postgres_with(&storage));
        let cause = (Reason::MountAccessDenied, here.as_str());
        namespace.apply_and_see(("shop", &spec), Symptom::MountFails, cause).await.map(drop)
    })
    .await
}

/// 10.99.0.1 is the machine itself, which serves no NFS.
#[rstest]
#[case::nobody_listens("10.99.0.1", "hard, nfsvers=4.1, retry=0", Reason::NfsServerUnreachable, "10.99.0.1")]
#[case::unknown_name(
    "nas.invalid",
    "hard, nfsvers=4.1, retry=0",
    Reason::NfsServerUnreachable,
    "nas.invalid"
)]
#[case::unknown_option("10.99.0.10", "hard, nfsvers=4.1, colour=blue", Reason::FailedMount, "mountOptions")]
#[tokio::test]
async fn a_mount_that_cannot_be_made_is_named(
    #[case] server: &str,
    #[case] options: &str,
    #[case] reason: Reason,
    #[case] named: &str,
) -> Result<()> {
    with_namespace("mount", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let spec = format!(
            "{{database: {{postgres: {}}}}}",
            postgres_with(&nfs(server, "/exports/demo-of-mounts", options))
        );
        let symptom = Symptom::MountFails;
        namespace.apply_and_see(("shop", &spec), symptom, (reason, named)).await.map(drop)
    })
    .await
}

fn nfs(server: &str, path: &str, options: &str) -> String {
    format!("{{nfs: {{server: {server}, path: {path}, mountOptions: [{options}]}}}}")
}

/// The contract refuses `soft`; an administrator's StorageClass or volume may have it all the same.
#[tokio::test]
async fn a_volume_that_is_mounted_soft_is_named() -> Result<()> {
    with_namespace("soft", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let path = nfs_node::export(&namespace.name, "999:999", "0700").await?;
        let volume: PersistentVolume = serde_json::from_value(json!({
            "metadata": {"name": namespace.name},
            "spec": {
                "storageClassName": namespace.name,
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "mountOptions": ["soft", "nfsvers=4.1"],
                "nfs": {"server": nfs_node::SERVER, "path": path},
                "claimRef": {"namespace": namespace.name, "name": "shop-db"},
            },
        }))?;
        let volumes = Api::<PersistentVolume>::all(namespace.cluster.client.clone());
        volumes.create(&PostParams::default(), &volume).await?;
        let outcome = with_class(namespace, NO_PROVISIONER, async || {
            let storage = format!("{{storageClassName: {}}}", namespace.name);
            let spec = format!("{{database: {{postgres: {}}}}}", postgres_with(&storage));
            let cause = (Reason::VolumeMountedSoft, "mountOptions of the StorageClass");
            namespace.apply_and_see(("shop", &spec), Symptom::Ended, cause).await.map(drop)
        })
        .await;
        volumes.delete(&namespace.name, &DeleteParams::default()).await?;
        outcome
    })
    .await
}

#[rstest]
#[case::refused(NO_PROVISIONER, Symptom::Event("ProvisioningFailed", "shop-db"), NO_PROVISIONER)]
#[case::silent(
    ABSENT_PROVISIONER,
    Symptom::EventSince("ExternalProvisioning", "shop-db", PATIENCE),
    "does not respond"
)]
#[tokio::test]
async fn a_claim_that_nobody_provides_for_is_named(
    #[case] provisioner: &str,
    #[case] symptom: Symptom,
    #[case] named: &str,
) -> Result<()> {
    with_namespace("provision", async |namespace| {
        with_class(namespace, provisioner, async || {
            let (spec, cause) = (on_class(&namespace.name), (Reason::ProvisioningFailed, named));
            namespace.apply_and_see(("shop", &spec), symptom, cause).await.map(drop)
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_claim_that_waits_for_its_volume_says_so() -> Result<()> {
    with_namespace("pending", async |namespace| {
        with_class(namespace, ABSENT_PROVISIONER, async || {
            let (spec, cause) = (on_class(&namespace.name), (Reason::VolumePending, "shop-db"));
            namespace.apply_and_see(("shop", &spec), Symptom::Applied, cause).await.map(drop)
        })
        .await
    })
    .await
}

fn on_class(class: &str) -> String {
    format!("{{database: {{postgres: {{storage: {{storageClassName: {class}}}}}}}}}")
}

/// Runs a test while there is a StorageClass of the namespace's name.
async fn with_class(
    namespace: &Namespace,
    provisioner: &str,
    test: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let class: StorageClass =
        serde_json::from_value(json!({"metadata": {"name": namespace.name}, "provisioner": provisioner}))?;
    let classes = Api::<StorageClass>::all(namespace.cluster.client.clone());
    classes.create(&PostParams::default(), &class).await?;
    let outcome = test().await;
    classes.delete(&namespace.name, &DeleteParams::default()).await?;
    outcome
}

#[tokio::test]
async fn two_stacks_on_one_export_are_kept_apart() -> Result<()> {
    with_namespace("rivals", async |namespace| {
        let nowhere = "{database: {postgres: {storage: {nfs: {server: 192.0.2.1, path: /exports/one}}}}}";
        namespace.apply("first", nowhere).await?;
        wait::eventually("given a volume", SOON, async || {
            let claim = namespace.api::<PersistentVolumeClaim>().get("first-db").await?;
            claim.spec.and_then(|spec| spec.volume_name).context("no volume yet")
        })
        .await?;
        let cause = (Reason::VolumeShared, "first");
        namespace.apply_and_see(("second", nowhere), Symptom::Applied, cause).await.map(drop)
    })
    .await
}
