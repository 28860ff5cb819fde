//! Directories of the stand-in for NFS on the ordinary nodes: they are folders of this machine, so a test
//! reaches them while no pod mounts them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use todostack_testbed::local::plan;

use crate::namespace::Namespace;

// The server of all exports, and another name for it.
pub const SERVER: &str = "nas.example.com";
pub const ALIAS: &str = "alias.example.com";
// uid and gid of Postgres.
const POSTGRES: u32 = 999;

impl Namespace {
    // An export `/exports/NAMESPACE` for Postgres. Returns its folder on this machine.
    pub fn stand_in_export(&self) -> Result<PathBuf> {
        let folder = folder(SERVER, &self.name);
        fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        chown(&folder, Some(POSTGRES), Some(POSTGRES))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        Ok(folder)
    }

    // Makes the export reachable under the other name of the server.
    pub fn stand_in_alias(&self) -> Result<()> {
        let alias = folder(ALIAS, &self.name);
        fs::create_dir_all(alias.parent().context("a folder of exports")?)?;
        Ok(symlink(folder(SERVER, &self.name), alias)?)
    }

    // `spec` of a stack with its data on the export.
    pub fn on_stand_in(&self, server: &str, settings: &str) -> String {
        let storage = format!("{{nfs: {{server: {server}, path: /exports/{}}}}}", self.name);
        format!("{{api: {{replicas: 1}}, database: {{postgres: {{storage: {storage}{settings}}}}}}}")
    }

    // A command of a remedy that is to be run on the NFS server, with the folder in place of the export.
    pub fn run_on_stand_in(&self, command: &str) -> Result<()> {
        let folder = folder(SERVER, &self.name).display().to_string();
        let command = command.replace(&format!("/exports/{}", self.name), &folder);
        let output = std::process::Command::new("sh").args(["-c", &command]).output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(output.status.success(), "`{command}`: {error}");
        Ok(())
    }
}

fn folder(server: &str, export: &str) -> PathBuf {
    plan::state("nfs").join(server).join("exports").join(export)
}
