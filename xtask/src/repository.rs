//! The checkout this program was built in, and the folders inside it that commands share.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::process;

/// The checkout's root.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Cargo's target folder; the checkout has no other.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// The cargo that runs this program, for the caller's arguments, in the checkout's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// Files of the checkout, committed or not, but not ignored; all of them, or those of some patterns.
pub(crate) fn files(patterns: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .args(patterns);
    let listed = process::output(&mut git).context("failed to list the repository's files")?;
    // One that was deleted but not committed is listed too.
    Ok(listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect())
}

/// What people need of a running cluster: `kubeconfig` and `bin/`.
pub(crate) fn cluster() -> PathBuf {
    target().join("cluster")
}

/// The cluster's kubeconfig.
pub(crate) fn kubeconfig() -> PathBuf {
    cluster().join("kubeconfig")
}
