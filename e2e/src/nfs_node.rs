//! The node with its own kernel, which serves and mounts NFS: its exports, and specs of stacks that run on
//! it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::core::v1::Node;
use todostack_testbed::local::plan::nfs_node as testbed;
pub use todostack_testbed::local::plan::nfs_node::{NAME as NODE, SERVER};

use crate::{cluster::Cluster, namespace::Namespace, permit::Use, wait};

// Its services start within 10 s.
const RESTARTED_WITHIN: Duration = Duration::from_mins(2);

impl Cluster {
    // Fails if the cluster has no such node, and says how to start it, or if the test may not use it: another
    // one may have stopped it.
    pub async fn require_nfs_node(&self) -> Result<()> {
        let is_permitted = matches!(self.permitted, Use::NfsNode | Use::NfsNodeAlone | Use::Alone);
        ensure!(is_permitted, "this test uses {NODE}: start it by `with_namespace_on_nfs_node`");
        self.api::<Node>().get_opt(NODE).await?.map(drop).with_context(|| {
            format!("the cluster has no node {NODE}: start it with `cargo xtask up --nfs-node --replace`")
        })
    }
}

impl Namespace {
    // Exports a directory that Postgres can use, and returns its path for clients.
    pub async fn export(&self) -> Result<String> {
        self.cluster.require_nfs_node().await?;
        export(&self.name, "999:999", "0700").await
    }
}

// Exports a directory of the node, and returns its path for clients.
// `name` must be unique; `owner` is `uid:gid`, `mode` is octal.
pub async fn export(name: &str, owner: &str, mode: &str) -> Result<String> {
    run(&format!("nfs-export {name} {owner} {mode}")).await?;
    Ok(testbed::export(name))
}

// Runs a line of shell on the node and returns its output.
pub async fn run(line: &str) -> Result<String> {
    let folder = testbed::commands();
    ensure!(folder.is_dir(), "{} does not exist: no NFS node runs on this machine", folder.display());
    let unique = tempfile::Builder::new().prefix("e2e-").tempfile_in(&folder)?;
    let path = |extension: &str| unique.path().with_extension(extension);
    // Renamed when it is complete, because the node runs each file with this extension at once.
    std::fs::write(unique.path(), format!("{line}\n"))?;
    std::fs::copy(unique.path(), path("new"))?;
    std::fs::rename(path("new"), path("sh"))?;

    let exit = wait::eventually("answered by the NFS node", Duration::from_secs(30), async || {
        Ok(std::fs::read_to_string(path("exit"))?)
    });
    let code = exit.await.with_context(|| format!("failed to run `{line}` on {NODE}"))?;
    let printed = std::fs::read_to_string(path("out"))?;
    for extension in ["exit", "out", "running"] {
        std::fs::remove_file(path(extension))
            .with_context(|| format!("failed to clean up after `{line}`"))?;
    }
    match code.trim() {
        "0" => Ok(printed),
        code => bail!("`{line}` exited with {code} on {NODE}:\n{printed}"),
    }
}

// Kills the kernel of the node, which loses what it has not written to its disk, and returns when it has
// started again.
pub async fn crash() -> Result<()> {
    tokio::task::spawn_blocking(todostack_testbed::local::nfs_node::crash).await??;
    wait::eventually("restarted", RESTARTED_WITHIN, async || run("true").await.map(drop)).await
}

// `spec.database.postgres` of a stack on the node, with its data on an export.
pub fn postgres_on_export(path: &str) -> String {
    postgres_on_node(&format!("{{nfs: {{server: {SERVER}, path: {path}}}}}"))
}

// `spec.database.postgres` of a stack on the node, with this `storage`.
pub fn postgres_on_node(storage: &str) -> String {
    format!(
        "{{storage: {storage}, nodeSelector: {{kubernetes.io/hostname: {NODE}}}, \
         tolerations: [{{key: todostack.dev/nfs, operator: Exists}}]}}"
    )
}
