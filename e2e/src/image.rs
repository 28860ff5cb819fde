//! Images that only tests want: made by hand, without a registry, and brought to the ordinary nodes.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;
use todostack_testbed::local::record::Record;
use tokio::process::Command;

use crate::command;

/// The image's name.
const FOREIGN: &str = "localhost/foreign:1";

/// Brings an image to every ordinary node whose one program is for another processor than theirs, though its
/// configuration says otherwise (what a build on another machine leaves). Gives back its name.
///
/// # Errors
/// There is no such node on this machine, or its containerd does not take the image.
pub async fn of_another_processor() -> Result<&'static str> {
    let folder = tempfile::tempdir()?;
    let here = folder.path();
    std::fs::write(here.join("program"), foreign_program())?;
    sh(here, "chmod 755 program; tar --create --file layer.tar program").await?;
    let digest = sh(here, "sha256sum layer.tar | cut -c 1-64").await?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/program"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest.trim())]},
    });
    std::fs::write(here.join("config.json"), config.to_string())?;
    let manifest = json!([{"Config": "config.json", "RepoTags": [FOREIGN], "Layers": ["layer.tar"]}]);
    std::fs::write(here.join("manifest.json"), manifest.to_string())?;
    sh(here, "tar --create --file image.tar manifest.json config.json layer.tar").await?;

    let record = Record::read().context("no local cluster runs on this machine")?;
    for node in record.ordinary_nodes() {
        let socket = node.socket();
        let import = format!("ctr --address {} --namespace k8s.io images import image.tar", socket.display());
        sh(here, &import).await?;
    }
    Ok(FOREIGN)
}

/// The header of an ELF program for the other of the two common processors: the kernel looks no further.
fn foreign_program() -> Vec<u8> {
    let machine: u8 = if cfg!(target_arch = "aarch64") { 0x3e } else { 0xb7 };
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend([2, 0, machine, 0, 1, 0, 0, 0]);
    header.resize(64, 0);
    header
}

async fn sh(folder: &Path, line: &str) -> Result<String> {
    let mut shell = Command::new("env");
    command::output(shell.args(["sh", "-euc", line]).current_dir(folder)).await
}
