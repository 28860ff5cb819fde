//! The checkout this program was built in, and the folders inside it that commands share.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// What people need of a running cluster: `kubeconfig` and `bin/`.
pub(crate) fn cluster() -> PathBuf {
    target().join("cluster")
}

/// The cluster's kubeconfig.
pub(crate) fn kubeconfig() -> PathBuf {
    cluster().join("kubeconfig")
}
