//! Volumes that are not provisioned, cannot be mounted, or are mounted soft. With NFS on its own node.

use std::{path::Path, time::Duration};

use anyhow::Result;
use k8s_openapi::api::{core::v1::PersistentVolume, storage::v1::StorageClass};
use rstest::rstest;
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster_objects::with_object,
    namespace::{Namespace, with_namespace, with_namespace_on_nfs_node},
    nfs_node::{self, postgres_on_export, postgres_on_node},
    remedy::Step,
    stack::SOON,
    symptom::Symptom,
    wait,
};

// For volumes that an administrator creates.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
// The cluster does not run this provisioner.
const MISSING_PROVISIONER: &str = "example.com/none";
// How long the operator allows a provisioner not to respond.
const GRACE: Duration = Duration::from_secs(20);

#[test]
fn a_missing_export_is_reported_and_mounted_once_it_exists() -> Result<()> {
    with_namespace_on_nfs_node("noexport", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let path = format!("/exports/{}", namespace.name);
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::MountFailed).await?;
        watch.diagnosed_as(Reason::ExportNotFound, &path).await?;
        namespace.export().await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// With NFS 3, because the server of NFS 4 hides an export from a client without access.
#[test]
fn an_export_without_access_for_the_node_is_reported() -> Result<()> {
    with_namespace_on_nfs_node("refused", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let name = &namespace.name;
        let path = format!("/srv/exports/{name}");
        let file = format!("/etc/exports.d/{name}.exports");
        let allow_other = format!("sed -i 's/ \\*(/ 192.0.2.7(/' {file}; exportfs -ra");
        nfs_node::run(&format!("nfs-export {name} 999:999 0700; {allow_other}")).await?;
        let spec = nfs_spec(nfs_node::SERVER, &path, "hard, nfsvers=3");
        namespace.ensure_diagnosed(&spec, Symptom::MountFailed, Reason::MountAccessDenied, &path).await?;
        namespace.export().await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// 10.99.0.1 is the machine itself, which does not serve NFS.
#[rstest]
#[case::nobody_listens("10.99.0.1", "hard, nfsvers=4.1, retry=0", Reason::NfsServerUnreachable, "10.99.0.1")]
#[case::unknown_name(
    "nas.invalid",
    "hard, nfsvers=4.1, retry=0",
    Reason::NfsServerUnreachable,
    "nas.invalid"
)]
fn a_failed_mount_is_reported(
    #[case] server: &str,
    #[case] options: &str,
    #[case] reason: Reason,
    #[case] mention: &str,
) -> Result<()> {
    with_namespace_on_nfs_node("mount", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let spec = nfs_spec(server, "/exports/demo-of-mounts", options);
        namespace.ensure_diagnosed(&spec, Symptom::MountFailed, reason, mention).await
    })
}

// The kubelet reads a PersistentVolume once for each pod.
#[test]
fn an_unknown_mount_option_is_reported_and_its_correction_heals() -> Result<()> {
    with_namespace_on_nfs_node("option", async |namespace| {
        let path = namespace.export().await?;
        let spec = nfs_spec(nfs_node::SERVER, &path, "hard, nfsvers=4.1, color=blue");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::MountFailed).await?;
        let message = watch.diagnosed_as(Reason::FailedMount, "mountOptions").await?;
        let field = "spec.database.postgres.storage.nfs.mountOptions";
        namespace.follow("shop", &message, Step::Set(field, Some("[hard, nfsvers=4.1]"))).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

fn nfs_spec(server: &str, path: &str, options: &str) -> String {
    let nfs = format!("{{nfs: {{server: {server}, path: {path}, mountOptions: [{options}]}}}}");
    format!("{{database: {{postgres: {}}}}}", postgres_on_node(&nfs))
}

// Validation rejects these options in a spec, but an administrator's StorageClass or PersistentVolume can
// have them.
#[rstest]
#[case::soft("soft", "nfsvers=4.1", Reason::VolumeMountedSoft)]
#[case::nolock("nolock", "nfsvers=3", Reason::VolumeNotLockable)]
fn a_volume_that_is_mounted_with_unsafe_options_is_reported_and_mounted_again_by_the_remedy(
    #[case] option: &str,
    #[case] version: &str,
    #[case] reason: Reason,
) -> Result<()> {
    with_namespace_on_nfs_node("options", async |namespace| {
        let path = namespace.export().await?;
        let volume: PersistentVolume = serde_json::from_value(json!({
            "metadata": {"name": namespace.name},
            "spec": {
                "storageClassName": namespace.name,
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "mountOptions": [option, version],
                // NFS 3 has no root of all exports.
                "nfs": {"server": nfs_node::SERVER, "path": if version == "nfsvers=3" { format!("/srv{path}") } else { path }},
                "claimRef": {"namespace": namespace.name, "name": "shop-db"},
            },
        }))?;
        with_object(&namespace.cluster.api(), &volume, async || {
            with_class(namespace, NO_PROVISIONER, async || {
                let storage = format!("{{storageClassName: {}}}", namespace.name);
                let spec = format!("{{database: {{postgres: {}}}}}", postgres_on_node(&storage));
                let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
                let message = watch.diagnosed_as(reason, "mountOptions of the StorageClass").await?;
                // Over NFS 4.1, this server has the export under another path.
                if reason == Reason::VolumeNotLockable {
                    return Ok(());
                }
                let mount = Step::Run { after: "Mount it", folder: Path::new("."), values: &[] };
                namespace.follow("shop", &message, mount).await?;
                namespace.until_ready("shop").await?;
                namespace.todos("shop").add("on a volume that is mounted safely").await?;
                namespace.delete_and_wait("shop").await
            })
            .await
        })
        .await
    })
}

#[rstest]
#[case::refused(NO_PROVISIONER, Symptom::Event("ProvisioningFailed", "shop-db"), NO_PROVISIONER)]
#[case::silent(
    MISSING_PROVISIONER,
    Symptom::AfterEvent("ExternalProvisioning", "shop-db", GRACE),
    "does not respond"
)]
fn a_claim_that_is_not_provisioned_is_reported(
    #[case] provisioner: &str,
    #[case] symptom: Symptom,
    #[case] mention: &str,
) -> Result<()> {
    with_namespace("provision", async |namespace| {
        with_class(namespace, provisioner, async || {
            let watch = namespace.apply_and_watch_for("shop", &class_spec(namespace), symptom).await?;
            watch.diagnosed_as(Reason::ProvisioningFailed, mention).await.map(drop)
        })
        .await
    })
}

#[test]
fn a_claim_that_is_not_bound_yet_is_reported() -> Result<()> {
    with_namespace("pending", async |namespace| {
        with_class(namespace, MISSING_PROVISIONER, async || {
            let spec = class_spec(namespace);
            namespace.ensure_diagnosed(&spec, Symptom::Applied, Reason::VolumePending, "shop-db").await
        })
        .await
    })
}

fn class_spec(namespace: &Namespace) -> String {
    format!("{{database: {{postgres: {{storage: {{storageClassName: {}}}}}}}}}", namespace.name)
}

// Runs a test while a StorageClass exists, which is named after the namespace because it is not namespaced.
async fn with_class(
    namespace: &Namespace,
    provisioner: &str,
    test: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let class: StorageClass =
        serde_json::from_value(json!({"metadata": {"name": namespace.name}, "provisioner": provisioner}))?;
    with_object(&namespace.cluster.api(), &class, test).await
}

#[test]
fn two_stacks_on_one_export_are_reported() -> Result<()> {
    with_namespace_on_nfs_node("rivals", async |namespace| {
        let spec = "{database: {postgres: {storage: {nfs: {server: 192.0.2.1, path: /exports/one}}}}}";
        namespace.apply("first", spec).await?;
        wait::eventually("bound", SOON, async || namespace.bound_volume("first-db").await).await?;
        let watch = namespace.apply_and_watch_for("second", spec, Symptom::Applied).await?;
        watch.diagnosed_as(Reason::VolumeShared, "first").await?;
        namespace.delete_and_wait("second").await?;
        let other = format!(
            "{{api: {{replicas: 1}}, database: {{postgres: {}}}}}",
            postgres_on_export(&namespace.export().await?)
        );
        namespace.apply_and_wait("second", &other).await.map(drop)
    })
}
