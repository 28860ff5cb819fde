//! The checkout that this crate was built in, and the folders inside it that programs share.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// A command of the cargo that runs this program, in the root of the checkout, with a shell's environment.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo describes the package of this program in them. With other values than in a shell, ring is built
    // again, and all that needs it.
    let package = ["CARGO_MANIFEST_", "CARGO_PKG_"];
    for (name, _) in std::env::vars_os() {
        if package.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(root()).args(arguments);
    command
}

/// As [`cargo`], for programs that are statically linked, as those of images are.
pub fn static_cargo(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    // With an explicit target RUSTFLAGS do not apply to build scripts, and the tests' artifacts stay valid.
    command.args(["--target", &static_target()]).env("RUSTFLAGS", "-C target-feature=+crt-static");
    command
}

/// The target of [`static_cargo`], which names a folder of Cargo's target folder.
pub fn static_target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
