//! NFS exports that Postgres cannot use, and the remedy that is reported. With NFS on its own node.

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::with_namespace_on_nfs_node,
    nfs_node::{self, postgres_on_export},
    symptom::Symptom,
};

// The command on the NFS server (`NAME` is the export's name, `HERE` its directory), what is reported, and
// what the remedy says, as a command.
#[rstest]
#[case::owner(
    "nfs-export NAME 0:0 0755",
    Reason::VolumeOwnerMismatch,
    "run chown 999:999 and chmod 700 on the exported directory",
    "chown 999:999 HERE && chmod 700 HERE"
)]
#[case::squashed(
    "nfs-export NAME 65534:65534 0777 rw,sync,all_squash",
    Reason::VolumeOwnerMismatch,
    "export it without all_squash",
    "nfs-export NAME 999:999 0700 rw,sync"
)]
#[case::read_only(
    "nfs-export NAME 999:999 0700 ro,sync",
    Reason::VolumeNotWritable,
    "export it with rw",
    "nfs-export NAME 999:999 0700 rw,sync"
)]
#[case::unfinished(
    "nfs-export NAME 999:999 0700; \
     install -d -o 999 -g 999 -m 700 HERE/18 HERE/18/docker HERE/18/docker/base",
    Reason::VolumeHalfInitialized,
    "run: rm -rf /exports/",
    "rm -rf HERE/18/docker"
)]
#[case::full(
    "mkdir -p HERE; mount -t tmpfs -o size=8m tmpfs HERE; nfs-export NAME 999:999 0700",
    Reason::DiskFull,
    "free space on the export",
    "mount -o remount,size=512m HERE"
)]
fn an_export_that_postgres_cannot_use_is_reported_and_its_remedy_heals(
    #[case] command: &str,
    #[case] reason: Reason,
    #[case] mention: &str,
    #[case] remedy: &str,
) -> Result<()> {
    with_namespace_on_nfs_node("export", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let directory = format!("/srv/exports/{}", namespace.name);
        let adapted = |text: &str| text.replace("NAME", &namespace.name).replace("HERE", &directory);
        nfs_node::run(&adapted(command)).await?;
        let postgres = postgres_on_export(&format!("/exports/{}", namespace.name));
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {postgres}}}}}");
        namespace.ensure_diagnosed(&spec, Symptom::ContainerFailed, reason, mention).await?;
        nfs_node::run(&adapted(remedy)).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
