//! Postgres on an NFS export: the mount, its user, its data. Failures are in `nfs_exports.rs` and
//! `volume_failures.rs`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolume, Pod};
use kube::api::{DeleteParams, ListParams};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace_on_nfs_node},
    nfs_node::{self, postgres_on_export},
    remedy::Step,
    stack::{READY_WITHIN, SOON},
    wait,
};

// The mount path is the `VOLUME` of the image.
#[rstest]
#[case::v15("15", "/var/lib/postgresql/data")]
#[case::v17("17", "/var/lib/postgresql/data")]
#[case::v18("18", "/var/lib/postgresql")]
fn todos_on_an_export_outlive_the_database_pod(#[case] version: &str, #[case] mount: &str) -> Result<()> {
    with_namespace_on_nfs_node("nfs", async |namespace| {
        let path = namespace.export().await?;
        let mut postgres: Value = serde_saphyr::from_str(&postgres_on_export(&path))?;
        postgres["version"] = version.into();
        let database = json!({"postgres": postgres});
        let spec = json!({"deletionPolicy": "Delete", "api": {"replicas": 1}, "database": database});
        namespace.apply_and_wait("shop", &spec.to_string()).await?;
        ensure_mounted_as_documented(namespace, &path, mount).await?;
        let owner = nfs_node::run(&format!("stat --format %u:%g:%a /srv{path}/{version}/docker")).await?;
        assert_eq!(owner.trim(), "999:999:700");
        let before = vec![namespace.todos("shop").add("stay on the export").await?];

        let pods = namespace.api::<Pod>();
        let old = pods.get("shop-db-0").await?;
        pods.delete("shop-db-0", &DeleteParams::default()).await?;
        wait::until_replaced(&pods, &old, READY_WITHIN).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);

        namespace.delete_and_wait("shop").await?;
        let volumes = namespace.cluster.api::<PersistentVolume>();
        let of_namespace =
            ListParams::default().labels(&format!("todostack.dev/namespace={}", namespace.name));
        wait::eventually("without its PersistentVolume", SOON, async || {
            let left = volumes.list(&of_namespace).await?.items.len();
            ensure!(left == 0, "{left} PersistentVolumes left");
            Ok(())
        })
        .await?;
        // Kubernetes cannot delete the data of an NFS volume, and the operator does not.
        let kept = nfs_node::run(&format!("ls /srv{path}")).await?;
        ensure!(kept.contains(version), "{kept}");
        Ok(())
    })
}

#[test]
fn an_export_that_a_deleted_stack_left_is_given_to_another_by_the_remedy() -> Result<()> {
    with_namespace_on_nfs_node("moved", async |namespace| {
        let spec = format!(
            "{{api: {{replicas: 1}}, database: {{postgres: {}}}}}",
            postgres_on_export(&namespace.export().await?)
        );
        namespace.apply_and_wait("first", &spec).await?;
        let todo = namespace.todos("first").add("move to another stack").await?;
        namespace.delete_and_wait("first").await?;
        namespace.apply("second", &spec).await?;
        let claim = format!("{}/first-db", namespace.name);
        let message = namespace.until_not_ready("second", Reason::VolumeShared, &claim).await?;
        let delete = Step::Run { after: "stay on the export: ", folder: Path::new("."), values: &[] };
        namespace.follow("second", &message, delete).await?;
        namespace.until_ready("second").await?;
        assert_eq!(namespace.todos("second").list_eventually().await?, vec![todo]);
        Ok(())
    })
}

// Checks the mount in the pod, and the export on the server.
async fn ensure_mounted_as_documented(namespace: &Namespace, path: &str, mount: &str) -> Result<()> {
    let in_pod = async |command: &[&str]| {
        let exec = ["exec", "shop-db-0", "--container", "postgres", "--"];
        namespace.kubectl(&[&exec[..], command].concat()).await
    };
    let mounts = in_pod(&["grep", &format!(" {mount} "), "/proc/self/mounts"]).await?;
    let mount: Vec<_> = mounts.split_whitespace().collect();
    let options: Vec<_> = mount.get(3).context("no mount")?.split(',').collect();
    ensure!(mount.first() == Some(&format!("{}:{path}", nfs_node::SERVER).as_str()), "{mounts}");
    ensure!(mount.get(2) == Some(&"nfs4"), "{mounts}");
    for option in ["hard", "vers=4.1"] {
        ensure!(options.contains(&option), "{option}: {mounts}");
    }
    assert_eq!(in_pod(&["id", "--user"]).await?.trim(), "999");
    let exported = nfs_node::run(&format!("exportfs -v | grep --after-context=1 /srv{path}")).await?;
    ensure!(exported.contains("root_squash") && !exported.contains("no_root_squash"), "{exported}");
    Ok(())
}
