//! Dependencies that no code uses, in the crates and in the workspace, by cargo-shear. What a crate may
//! depend on is in `purity.rs` and `licenses.rs`.

use std::process::Command;

use anyhow::Context as _;

use super::cargo_tool::CargoTool;
use crate::repository;

/// The last version that this repository's Rust compiles.
const CARGO_SHEAR: CargoTool =
    CargoTool { name: "cargo-shear", version: "1.11.2", usual: "1 to 2 min, once per machine" };

/// Fails with every unused dependency.
pub(super) fn check() -> anyhow::Result<()> {
    let mut shear = Command::new(CARGO_SHEAR.program()?);
    shear.current_dir(repository::root()).args(["--locked", "--color", "never"]);
    let output = shear.output().context("failed to start cargo-shear")?;
    if output.status.success() {
        // Its warnings are of no interest: they advise on settings of test targets.
        return Ok(());
    }
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    anyhow::bail!("dependencies are unused or in the wrong table: see cargo-shear's errors (×) above")
}
