//! An image that only a test needs, built without a registry and imported into the ordinary nodes.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;
use todostack_testbed::local::record::Record;
use tokio::process::Command;

use crate::command;

const IMAGE: &str = "localhost/foreign:1";

// Imports an image whose program is for another architecture than its configuration says.
pub async fn import_for_wrong_architecture() -> Result<&'static str> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    std::fs::write(folder.join("program"), foreign_program())?;
    sh(folder, "chmod 755 program; tar --create --file layer.tar program").await?;
    let digest = sh(folder, "sha256sum layer.tar | cut -c 1-64").await?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/program"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest.trim())]},
    });
    std::fs::write(folder.join("config.json"), config.to_string())?;
    let manifest = json!([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]);
    std::fs::write(folder.join("manifest.json"), manifest.to_string())?;
    sh(folder, "tar --create --file image.tar manifest.json config.json layer.tar").await?;

    let record = Record::read().context("no local cluster runs on this machine")?;
    for node in record.ordinary_nodes() {
        let socket = node.socket();
        let import = format!("ctr --address {} --namespace k8s.io images import image.tar", socket.display());
        sh(folder, &import).await?;
    }
    Ok(IMAGE)
}

// An ELF header for the other common architecture. The kernel rejects it without reading further.
fn foreign_program() -> Vec<u8> {
    let machine: u8 = if cfg!(target_arch = "aarch64") { 0x3e } else { 0xb7 };
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend([2, 0, machine, 0, 1, 0, 0, 0]);
    header.resize(64, 0);
    header
}

async fn sh(folder: &Path, script: &str) -> Result<String> {
    command::output(Command::new("sh").args(["-euc", script]).current_dir(folder)).await
}
