//! Images that only a test needs, built without a registry and imported into the ordinary nodes.

#![expect(clippy::indexing_slicing, reason = "a JSON value has null where a key is missing")]

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use todostack_testbed::local::record::Record;
use tokio::process::Command;

use crate::command;

const FOREIGN: &str = "localhost/foreign:1";
const POSTGRES: &str = "docker.io/library/postgres:18";
const ALPINE: &str = "localhost/postgres-of-alpine:18";
// Users as in images that are based on Alpine, where earlier ones lack the library with which the entrypoint
// can name any other user.
const ALPINE_LAYER: &str = "\
    mkdir -p etc usr/lib/$(uname -m)-linux-gnu
    echo 'root:x:0:0::/root:/bin/sh' > etc/passwd
    echo 'postgres:x:70:70::/var/lib/postgresql:/bin/sh' >> etc/passwd
    printf 'root:x:0:\npostgres:x:70:\n' > etc/group
    touch usr/lib/$(uname -m)-linux-gnu/.wh.libnss_wrapper.so
    tar --create --file layer.tar etc usr";

// Imports an image whose program is for another architecture than its configuration says.
pub async fn import_for_wrong_architecture() -> Result<&'static str> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    std::fs::write(folder.join("program"), foreign_program())?;
    sh(folder, "chmod 755 program; tar --create --file layer.tar program").await?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/program"]},
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    import_with_layer(folder, config, json!({"RepoTags": [FOREIGN], "Layers": []})).await?;
    Ok(FOREIGN)
}

// Imports the image of Postgres with the users of an image that is based on Alpine.
pub async fn import_postgres_of_alpine() -> Result<&'static str> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let record = Record::read().context("no local cluster runs on this machine")?;
    let node = record.ordinary_nodes().next().context("the cluster has no ordinary node")?;
    let ctr = format!("ctr --address {} --namespace k8s.io", node.socket().display());
    sh(folder, &format!("{ctr} images export export.tar {POSTGRES}; tar --extract --file export.tar"))
        .await?;
    sh(folder, ALPINE_LAYER).await?;
    let manifests: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json"))?)?;
    let mut manifest = manifests[0].clone();
    let config = manifest["Config"].as_str().context("the manifest names no configuration")?;
    let config = serde_json::from_str(&std::fs::read_to_string(folder.join(config))?)?;
    manifest["RepoTags"] = json!([ALPINE]);
    import_with_layer(folder, config, manifest).await?;
    Ok(ALPINE)
}

// Gives an image of the ordinary nodes another name.
pub async fn tag(image: &str, name: &str) -> Result<()> {
    let record = Record::read().context("no local cluster runs on this machine")?;
    for node in record.ordinary_nodes() {
        let ctr = format!("ctr --address {} --namespace k8s.io", node.socket().display());
        sh(Path::new("/"), &format!("{ctr} images tag --force {image} {name}")).await?;
    }
    Ok(())
}

// Adds `layer.tar` in this folder to an image, and imports the image into the ordinary nodes.
async fn import_with_layer(folder: &Path, mut config: Value, mut manifest: Value) -> Result<()> {
    let digest = sh(folder, "sha256sum layer.tar | cut -c 1-64").await?;
    let layers = config.pointer_mut("/rootfs/diff_ids").and_then(Value::as_array_mut);
    layers.context("the configuration has no layers")?.push(format!("sha256:{}", digest.trim()).into());
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        history.push(json!({"created_by": "e2e"}));
    }
    std::fs::write(folder.join("config.json"), config.to_string())?;
    let layers = manifest.get_mut("Layers").and_then(Value::as_array_mut);
    layers.context("the manifest has no layers")?.push("layer.tar".into());
    manifest["Config"] = "config.json".into();
    std::fs::write(folder.join("manifest.json"), json!([manifest]).to_string())?;
    let others = if folder.join("blobs").is_dir() { "blobs" } else { "" };
    sh(folder, &format!("tar --create --file image.tar manifest.json config.json layer.tar {others}"))
        .await?;

    let record = Record::read().context("no local cluster runs on this machine")?;
    for node in record.ordinary_nodes() {
        let socket = node.socket();
        let import = format!("ctr --address {} --namespace k8s.io images import image.tar", socket.display());
        sh(folder, &import).await?;
    }
    Ok(())
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
