//! Licenses, banned crates and sources of dependencies, by cargo-deny and deny.toml. Not its advisories,
//! which need a database from the network.

use std::process::Command;

use todostack_testbed::process;

use super::cargo_tool::CargoTool;
use crate::repository;

const CARGO_DENY: CargoTool =
    CargoTool { name: "cargo-deny", version: "0.20.2", usual: "2 min, once per machine" };

/// Fails with every crate that deny.toml does not allow.
pub(super) fn check() -> anyhow::Result<()> {
    let mut deny = Command::new(CARGO_DENY.program()?);
    deny.current_dir(repository::root());
    // Duplicate versions are warnings with a dependency tree each, which would hide the errors.
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    Ok(process::stream(&mut deny, |_| {})?)
}
