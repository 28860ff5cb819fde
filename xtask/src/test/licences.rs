//! Licences, banned crates and sources of what is linked in, by cargo-deny and deny.toml.
//!
//! Not its advisories: they need a database that is not a package, so that check belongs to a machine with the network.

use std::process::Command;

use todostack_testbed::{cache, process, progress};

use crate::repository;

const VERSION: &str = "0.20.2";

/// Fails with every crate that deny.toml does not allow.
pub(super) fn check() -> anyhow::Result<()> {
    let folder = cache::entry(&format!("cargo-deny-{VERSION}"), |folder| {
        progress::step("Installing cargo-deny", "2 min, once per machine", || {
            // Unoptimised: it runs for seconds, and optimising it takes minutes.
            let flags = ["install", "--quiet", "--debug", "--locked", "--no-default-features", "--no-track"];
            let mut install = repository::cargo(&flags);
            install.arg("--root").arg(folder).arg(format!("cargo-deny@{VERSION}"));
            Ok(process::run(&mut install)?)
        })
    })?;
    let mut deny = Command::new(folder.join("bin/cargo-deny"));
    deny.current_dir(repository::root());
    // Duplicates are warnings, with a dependency tree each; only what is refused is of interest here.
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    Ok(process::stream(&mut deny, |_| {})?)
}
