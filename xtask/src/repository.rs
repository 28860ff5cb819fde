//! The checkout for commands: its cargo, its files and Cargo's target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use todostack_testbed::process;
pub(crate) use todostack_testbed::repository::{cluster, kubeconfig, root};

/// Cargo's target folder; the checkout has no other.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A command of the cargo that runs this program, in the root of the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` sets it for this program. With another value than in a shell, ring is built again.
    command.env_remove("CARGO_MANIFEST_DIR");
    command.current_dir(root()).args(arguments);
    command
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
