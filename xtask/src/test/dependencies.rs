//! Dependencies that no code uses, by cargo-shear, and licenses, banned crates and sources, by cargo-deny and
//! deny.toml. What a pure crate may depend on is in `purity.rs`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use todostack_testbed::{cache, process, progress};

use crate::repository;

pub(super) fn check_use() -> anyhow::Result<()> {
    // The last version that this repository's Rust compiles.
    let mut shear = Command::new(program("cargo-shear", "1.11.2", "1 to 2 min, once per machine")?);
    shear.current_dir(repository::root()).args(["--locked", "--color", "never"]);
    let output = shear.output().context("failed to start cargo-shear")?;
    if output.status.success() {
        // Its warnings are of no interest: they advise on settings of test targets.
        return Ok(());
    }
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    anyhow::bail!("dependencies are unused or in the wrong table: see cargo-shear's errors (×) above")
}

/// Fails with every crate that deny.toml does not allow.
pub(super) fn check_licenses() -> anyhow::Result<()> {
    let mut deny = Command::new(program("cargo-deny", "0.20.2", "2 min, once per machine")?);
    deny.current_dir(repository::root());
    // Without its advisories, whose database would be fetched at every run.
    // Duplicate versions are warnings with a dependency tree each, which would hide the errors.
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    Ok(process::stream(&mut deny, |_| {})?)
}

/// The program of a crate of the same name, installed from crates.io unless the cache folder has the version.
fn program(name: &str, version: &str, usual: &str) -> anyhow::Result<PathBuf> {
    let folder = cache::entry(&format!("{name}-{version}"), |folder| {
        progress::step(&format!("Installing {name}"), usual, || {
            // Without optimization: it runs for seconds, and optimizing it takes minutes.
            let flags = ["install", "--quiet", "--debug", "--locked", "--no-default-features", "--no-track"];
            let mut install = repository::cargo(&flags);
            install.arg("--root").arg(folder).arg(format!("{name}@{version}"));
            Ok(process::run(&mut install)?)
        })
    })?;
    Ok(folder.join("bin").join(name))
}
