//! Has kind itself read kind/cluster.yaml, on machines without Docker too.

use std::path::Path;
use std::process::Command;

use todostack_testbed::binaries::{self, Module};
use todostack_testbed::process;

use crate::repository;

/// What the stand-in for docker says to the first thing kind asks once it has validated its configuration.
const VALID: &str = "kind found no fault with the configuration";

/// Fails with kind's words when it finds a fault.
pub(super) fn check() -> anyhow::Result<()> {
    let kind = binaries::build(Module::Checks)?.program("kind");
    validate(&kind, &repository::root().join("kind/cluster.yaml"))
}

fn validate(kind: &Path, configuration: &Path) -> anyhow::Result<()> {
    let stand_in = repository::root().join("testbed/checks/stand-in");
    let mut create = Command::new(kind);
    // Nothing but the stand-in and its shell: kind must not find a Docker, or it would create a cluster.
    create.env_clear().env("PATH", format!("{}:/bin", stand_in.display()));
    create.env("KIND_EXPERIMENTAL_PROVIDER", "docker").env("HOME", "/nonexistent");
    create.args(["create", "cluster", "--name", "never-created", "--config"]).arg(configuration);
    match process::run(&mut create) {
        Err(error) if error.to_string().contains(VALID) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => {
            anyhow::bail!("kind created a cluster with a stand-in for Docker, so this check checks nothing")
        }
    }
}
