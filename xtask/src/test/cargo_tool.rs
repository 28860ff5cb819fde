//! Installs tools of crates.io into the cache folder, once per machine and version. Each check runs its own.

use std::path::PathBuf;

use todostack_testbed::{cache, process, progress};

use crate::repository;

/// A crate whose program has the same name.
pub(super) struct CargoTool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// How long the installation usually takes, for the progress output.
    pub(super) usual: &'static str,
}

impl CargoTool {
    /// The program, installed unless the cache has it.
    pub(super) fn program(&self) -> anyhow::Result<PathBuf> {
        let Self { name, version, usual } = self;
        let folder = cache::entry(&format!("{name}-{version}"), |folder| {
            progress::step(&format!("Installing {name}"), usual, || {
                // Without optimization: it runs for seconds, and optimizing it takes minutes.
                let flags =
                    ["install", "--quiet", "--debug", "--locked", "--no-default-features", "--no-track"];
                let mut install = repository::cargo(&flags);
                install.arg("--root").arg(folder).arg(format!("{name}@{version}"));
                Ok(process::run(&mut install)?)
            })
        })?;
        Ok(folder.join("bin").join(name))
    }
}
