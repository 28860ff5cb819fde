//! Postgres on a real NFS export: the mount, its user, its data. Needs the node with a kernel of its own.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{PersistentVolume, Pod};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    nfs_node::{self, postgres_on},
    stack::{READY_WITHIN, SOON},
    wait,
};

fn spec(path: &str, policy: &str) -> String {
    format!(
        "{{deletionPolicy: {policy}, api: {{replicas: 1}}, database: {{postgres: {}}}}}",
        postgres_on(path)
    )
}

#[tokio::test]
async fn a_stack_on_a_real_export_keeps_its_todos_when_its_pod_is_deleted() -> Result<()> {
    with_namespace("nfs", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let path = nfs_node::export(&namespace.name, "999:999", "0700").await?;
        namespace.apply("shop", &spec(&path, "Delete")).await?;
        namespace.ready("shop").await?;
        mounted_as_promised(namespace, &path).await?;
        let before = vec![namespace.todos("shop").add("stay on the export").await?];

        let pods = namespace.api::<Pod>();
        let old = pods.get("shop-db-0").await?.uid();
        pods.delete("shop-db-0", &DeleteParams::default()).await?;
        let replaced = |found: Option<&Pod>| found.is_some_and(|pod| pod.uid() != old);
        wait::until(&pods, "shop-db-0", ("replaced", READY_WITHIN), replaced).await?;
        namespace.ready("shop").await?;
        assert_eq!(namespace.todos("shop").answered().await?, before);

        namespace.remove("shop").await?;
        let volumes = Api::<PersistentVolume>::all(namespace.cluster.client.clone());
        let ours = ListParams::default().labels(&format!("todostack.dev/namespace={}", namespace.name));
        wait::eventually("without its PersistentVolume", SOON, async || {
            let left = volumes.list(&ours).await?.items.len();
            ensure!(left == 0, "{left} PersistentVolumes left");
            Ok(())
        })
        .await?;
        // Kubernetes cannot delete what is on the export, and neither do we.
        let kept = nfs_node::run(&format!("ls /srv{path}")).await?;
        ensure!(kept.contains("18"), "{kept}");
        Ok(())
    })
    .await
}

/// The mount as the kernel has it, and the data as the server has it.
async fn mounted_as_promised(namespace: &Namespace, path: &str) -> Result<()> {
    let inside = ["exec", "shop-db-0", "--container", "postgres", "--"];
    let look = |command: &[&'static str]| [&inside[..], command].concat();
    let mounts = namespace.kubectl(&look(&["grep", " /var/lib/postgresql ", "/proc/self/mounts"])).await?;
    let mount: Vec<_> = mounts.split_whitespace().collect();
    let options: Vec<_> = mount.get(3).context("no mount")?.split(',').collect();
    ensure!(mount.first() == Some(&format!("{}:{path}", nfs_node::SERVER).as_str()), "{mounts}");
    ensure!(mount.get(2) == Some(&"nfs4"), "{mounts}");
    for option in ["hard", "vers=4.1"] {
        ensure!(options.contains(&option), "{option}: {mounts}");
    }
    let user = namespace.kubectl(&look(&["id", "--user"])).await?;
    assert_eq!(user.trim(), "999");
    let owner = nfs_node::run(&format!("stat --format %u:%g:%a /srv{path}/18/docker")).await?;
    assert_eq!(owner.trim(), "999:999:700");
    let exported = nfs_node::run(&format!("exportfs -v | grep --after-context=1 /srv{path}")).await?;
    ensure!(exported.contains("root_squash") && !exported.contains("no_root_squash"), "{exported}");
    Ok(())
}
