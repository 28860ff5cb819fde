//! Validates kind/cluster.yaml by kind itself, also on a machine without Docker.

use std::process::Command;

use todostack_testbed::binaries::{self, Module};
use todostack_testbed::process;

use crate::repository;

/// What the stand-in for Docker prints at the first command that kind runs after the validation.
const VALID: &str = "kind found no fault with the configuration";

pub(super) fn check() -> anyhow::Result<()> {
    let mut create = Command::new(binaries::build(Module::Checks)?.program("kind"));
    // Only the stand-in and its shell: if kind found Docker, it would create a cluster.
    let stand_in = repository::root().join("testbed/checks/stand-in");
    create.env_clear().env("PATH", format!("{}:/bin", stand_in.display()));
    create.env("KIND_EXPERIMENTAL_PROVIDER", "docker").env("HOME", "/nonexistent");
    create.args(["create", "cluster", "--name", "never-created", "--config"]);
    match process::run(create.arg(repository::root().join("kind/cluster.yaml"))) {
        Err(error) if error.to_string().contains(VALID) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => anyhow::bail!(
            "kind did not use the stand-in for Docker, so it did not validate the configuration"
        ),
    }
}
