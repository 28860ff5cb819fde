//! The checkout that this crate was built in, and the folders inside it that programs share.

use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR"));
    testbed.parent().unwrap_or(testbed)
}

/// This folder: Go modules, manifests, and what images and nodes are made from.
pub fn testbed() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What users need of a running cluster, in Cargo's target folder: `kubeconfig` and `bin/`.
pub fn cluster() -> PathBuf {
    root().join("target/cluster")
}

/// The kubeconfig of the running cluster, whichever provider runs it.
pub fn kubeconfig() -> PathBuf {
    cluster().join("kubeconfig")
}
