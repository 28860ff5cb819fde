//! NFS exports that Postgres cannot use, and the remedy that is reported. With NFS on its own node.

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::with_namespace,
    nfs_node::{self, postgres_on_export},
    symptom::Symptom,
};

// The command on the NFS server (`NAME` is the export's name, `HERE` its directory), and what is reported.
#[rstest]
#[case::owner("nfs-export NAME 0:0 0755", Reason::VolumeOwnerMismatch, "chown 999:999")]
#[case::squashed(
    "nfs-export NAME 65534:65534 0777 rw,sync,all_squash",
    Reason::VolumeOwnerMismatch,
    "without all_squash"
)]
#[case::read_only("nfs-export NAME 999:999 0700 ro,sync", Reason::VolumeNotWritable, "export it with rw")]
#[case::unfinished(
    "nfs-export NAME 999:999 0700; \
     install -d -o 999 -g 999 -m 700 HERE/18 HERE/18/docker HERE/18/docker/base",
    Reason::VolumeHalfInitialized,
    "18/docker"
)]
#[case::other_version(
    "nfs-export NAME 999:999 0700; install -d -o 999 -g 999 -m 700 HERE/17 HERE/17/docker; \
     echo 17 > HERE/17/docker/PG_VERSION",
    Reason::VersionMismatch,
    "Postgres 17"
)]
#[case::full(
    "mkdir -p HERE; mount -t tmpfs -o size=8m tmpfs HERE; nfs-export NAME 999:999 0700",
    Reason::DiskFull,
    "KiB free"
)]
fn an_export_that_postgres_cannot_use_is_reported(
    #[case] command: &str,
    #[case] reason: Reason,
    #[case] mention: &str,
) -> Result<()> {
    with_namespace("export", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let (name, directory) = (&namespace.name, format!("/srv/exports/{}", namespace.name));
        nfs_node::run(&command.replace("NAME", name).replace("HERE", &directory)).await?;
        let postgres = postgres_on_export(&format!("/exports/{name}"));
        let spec = format!("{{database: {{postgres: {postgres}}}}}");
        namespace.ensure_diagnosed(&spec, Symptom::ContainerFailed, reason, mention).await
    })
}

#[test]
fn a_stack_becomes_ready_after_the_owner_of_its_export_is_corrected() -> Result<()> {
    with_namespace("owner", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let path = nfs_node::export(&namespace.name, "0:0", "0755").await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        namespace.apply("shop", &spec).await?;
        namespace.until_not_ready("shop", Reason::VolumeOwnerMismatch, "chown").await?;
        namespace.export().await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
