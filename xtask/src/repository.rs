//! The checkout, for commands: its cargo and its files. The folders are those of the testbed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use todostack_testbed::process;
pub(crate) use todostack_testbed::repository::{cluster, kubeconfig, root};

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
