//! The node with a kernel of its own that serves and mounts real NFS: its exports, and stacks placed on it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use todostack_testbed::local::plan::nfs_node as testbed;
pub use todostack_testbed::local::plan::nfs_node::{NAME as NODE, SERVER};

use crate::{cluster::Cluster, wait};

impl Cluster {
    /// Makes sure that the node is there.
    ///
    /// # Errors
    /// It is not, with what to do.
    pub async fn nfs_node(&self) -> Result<()> {
        let nodes = Api::<Node>::all(self.client.clone());
        let found = nodes.get_opt(NODE).await?;
        found.map(drop).with_context(|| {
            format!("the cluster has no node {NODE}: start it with `cargo xtask up --nfs-node --replace`")
        })
    }
}

/// Exports a directory of the node and gives back its path for clients.
///
/// `owner` is `uid:gid`, `mode` octal; `name` is unique to the test.
///
/// # Errors
/// The node does not answer, or the export fails there.
pub async fn export(name: &str, owner: &str, mode: &str) -> Result<String> {
    run(&format!("nfs-export {name} {owner} {mode}")).await?;
    Ok(testbed::export(name))
}

/// Runs a line of shell on the node and gives back what it printed.
///
/// # Errors
/// The node does not answer, or the line fails there.
pub async fn run(line: &str) -> Result<String> {
    let folder = testbed::commands();
    ensure!(folder.is_dir(), "{} does not exist: no NFS node runs on this machine", folder.display());
    let unique = tempfile::Builder::new().prefix("e2e-").tempfile_in(&folder)?;
    let path = |extension: &str| unique.path().with_extension(extension);
    // Under another name first: the node must not see half a command.
    std::fs::write(unique.path(), format!("{line}\n"))?;
    std::fs::copy(unique.path(), path("new"))?;
    std::fs::rename(path("new"), path("sh"))?;

    let answer = wait::eventually("answered by the NFS node", Duration::from_secs(30), async || {
        Ok(std::fs::read_to_string(path("exit"))?)
    });
    let code = answer.await.with_context(|| format!("failed to run `{line}` on {NODE}"))?;
    let printed = std::fs::read_to_string(path("out"))?;
    for extension in ["exit", "out", "running"] {
        std::fs::remove_file(path(extension)).with_context(|| format!("failed to tidy up after `{line}`"))?;
    }
    match code.trim() {
        "0" => Ok(printed),
        code => bail!("`{line}` ended with {code} on {NODE}:\n{printed}"),
    }
}

/// The part of a Postgres spec that places a stack on the node, with its data on one of the exports.
#[must_use]
pub fn postgres_on(path: &str) -> String {
    postgres_with(&format!("{{nfs: {{server: {SERVER}, path: {path}}}}}"))
}

/// The part of a Postgres spec that places a stack on the node, with this storage.
#[must_use]
pub fn postgres_with(storage: &str) -> String {
    format!(
        "{{storage: {storage}, nodeSelector: {{kubernetes.io/hostname: {NODE}}}, \
         tolerations: [{{key: todostack.dev/nfs, operator: Exists}}]}}"
    )
}
