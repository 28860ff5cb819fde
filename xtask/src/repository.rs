//! The checkout for commands: its files and Cargo's target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use todostack_testbed::process;
pub(crate) use todostack_testbed::repository::{
    cargo, cluster, kubeconfig, root, static_cargo, static_target,
};

/// Cargo's target folder; the checkout has no other.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// Files of the checkout, committed or not, but not ignored; all of them, or those that match a pattern.
pub(crate) fn files(patterns: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .args(patterns);
    let listed = process::output(&mut git).context("failed to list the repository's files")?;
    // git lists a file that is deleted in the work tree, too.
    Ok(listed.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect())
}
