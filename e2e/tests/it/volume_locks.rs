//! Two servers on one volume: the second waits, however the volume is named, and starts when the first is
//! gone.

use anyhow::{Context as _, Result};
use kube::api::DeleteParams;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{with_namespace, with_namespace_on_nfs_node},
    nfs_node::{self, postgres_on_export},
    nfs_stand_in::{ALIAS, SERVER},
    stack::SOON,
    symptom::Symptom,
    wait,
};

// The operator cannot know that the two names are one server.
#[test]
fn a_stack_whose_export_another_stack_uses_under_another_name_waits_until_that_is_deleted() -> Result<()> {
    with_namespace("alias", async |namespace| {
        namespace.stand_in_export()?;
        namespace.stand_in_alias()?;
        namespace.apply_and_wait("first", &namespace.on_stand_in(SERVER, "")).await?;
        let before = vec![namespace.todos("first").add("move to the other stack").await?];
        let spec = namespace.on_stand_in(ALIAS, "");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        watch.diagnosed_as(Reason::VolumeInUse, "out-of-service").await?;
        namespace.stacks().delete("first", &DeleteParams::default()).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        Ok(())
    })
}

// As after a forced deletion of the pod of a lost node: a process of which no API server knows. Over NFS 4.1,
// with a mount of its own.
#[test]
fn a_stack_waits_for_an_unknown_server_on_its_export() -> Result<()> {
    with_namespace_on_nfs_node("orphan", async |namespace| {
        let path = namespace.export().await?;
        let (name, server) = (&namespace.name, nfs_node::SERVER);
        let hold = format!(
            "mkdir -p /mnt/{name} && mount -t nfs -o nfsvers=4.1 {server}:{path} /mnt/{name} && \
             setsid setpriv --reuid=999 --regid=999 --clear-groups \
             flock --no-fork /mnt/{name}/.todostack.lock sleep 1000 > /dev/null 2>&1 < /dev/null & echo $!"
        );
        let pid = nfs_node::run(&hold).await?;
        let pid = pid.trim().lines().last().context("the holder of the lock has no pid")?.to_owned();
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let outcome = watch.diagnosed_as(Reason::VolumeInUse, "out-of-service").await;
        nfs_node::run(&format!("pkill --parent {pid}; kill {pid}")).await?;
        wait::eventually("unmounted", SOON, async || nfs_node::run(&format!("umount /mnt/{name}")).await)
            .await?;
        outcome?;
        namespace.until_ready("shop").await.map(drop)
    })
}
