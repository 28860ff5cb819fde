//! The checkout this program was built in, and the folders inside it that commands share.

use std::path::{Path, PathBuf};

/// The checkout's root.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Cargo's target folder; the checkout has no other.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// What people need of a running cluster: `kubeconfig` and `bin/`.
pub(crate) fn cluster() -> PathBuf {
    target().join("cluster")
}

/// The cluster's kubeconfig.
pub(crate) fn kubeconfig() -> PathBuf {
    cluster().join("kubeconfig")
}
