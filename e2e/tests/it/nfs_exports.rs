//! NFS exports that Postgres cannot live on, each real, on the node with a kernel of its own: named, with what to run.

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::with_namespace,
    nfs_node::{self, postgres_on},
    symptom::Symptom,
};

/// What is done on the NFS server (`NAME` is the export's name, `HERE` its directory), and what is said of it.
#[rstest]
#[case::owner("nfs-export NAME 0:0 0755", Reason::VolumeOwnerMismatch, "chown 999:999")]
#[case::squashed(
    "nfs-export NAME 65534:65534 0777 rw,sync,all_squash",
    Reason::VolumeOwnerMismatch,
    "without all_squash"
)]
#[case::read_only("nfs-export NAME 999:999 0700 ro,sync", Reason::VolumeNotWritable, "export it with rw")]
#[case::unfinished(
    "nfs-export NAME 999:999 0700; install -d -o 999 -g 999 -m 700 HERE/18 HERE/18/docker HERE/18/docker/base",
    Reason::VolumeHalfInitialized,
    "18/docker"
)]
#[case::other_version(
    "nfs-export NAME 999:999 0700; install -d -o 999 -g 999 -m 700 HERE/17 HERE/17/docker; echo 17 > HERE/17/docker/PG_VERSION",
    Reason::VersionMismatch,
    "Postgres 17"
)]
#[case::full(
    "mkdir -p HERE; mount -t tmpfs -o size=8m tmpfs HERE; nfs-export NAME 999:999 0700",
    Reason::DiskFull,
    "KiB free"
)]
#[tokio::test]
async fn an_export_that_postgres_cannot_live_on_is_named(
    #[case] line: &str,
    #[case] reason: Reason,
    #[case] remedy: &str,
) -> Result<()> {
    with_namespace("export", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let (name, here) = (&namespace.name, format!("/srv/exports/{}", namespace.name));
        nfs_node::run(&line.replace("NAME", name).replace("HERE", &here)).await?;
        let spec = format!("{{database: {{postgres: {}}}}}", postgres_on(&format!("/exports/{name}")));
        namespace.apply_and_see(("shop", &spec), Symptom::Ended, (reason, remedy)).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_stack_goes_on_when_the_owner_of_its_export_is_put_right() -> Result<()> {
    with_namespace("owner", async |namespace| {
        namespace.cluster.nfs_node().await?;
        let path = nfs_node::export(&namespace.name, "0:0", "0755").await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on(&path));
        namespace.apply("shop", &spec).await?;
        namespace.blocked_by("shop", Reason::VolumeOwnerMismatch, "chown").await?;
        nfs_node::export(&namespace.name, "999:999", "0700").await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}
