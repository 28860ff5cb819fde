//! Charts, examples and manifests without a cluster: Helm's lint, and the schema of every object's kind.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

use todostack_testbed::binaries::{self, Module};
use todostack_testbed::process;

use super::schemas;
use crate::repository;

/// Fails with everything that Helm or a schema rejects.
pub(super) fn check() -> anyhow::Result<()> {
    let helm = binaries::build(Module::Kubernetes)?.program("helm");
    let kubeconform = binaries::build(Module::Checks)?.program("kubeconform");
    let schemas = schemas::folder()?;
    let mut files = vec![repository::root().join("kind/nfs-server.yaml")];
    for folder in ["examples", "testbed/manifests"] {
        let found = manifests(&repository::root().join(folder))?;
        anyhow::ensure!(!found.is_empty(), "{folder} has no manifest to check");
        files.extend(found);
    }
    let rendered = repository::target().join("charts");
    fs::create_dir_all(&rendered)?;
    for chart in fs::read_dir(repository::root().join("charts"))? {
        let chart = chart?.path();
        files.push(render(&helm, &chart, None, &rendered)?);
        // Other values than the defaults, in the folder that chart-testing reads.
        let others = chart.join("ci");
        for values in if others.is_dir() { manifests(&others)? } else { Vec::new() } {
            files.push(render(&helm, &chart, Some(&values), &rendered)?);
        }
    }
    let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", schemas.display());
    let mut validate = Command::new(kubeconform);
    validate.args(["-strict", "-summary", "-schema-location", &location]).args(files);
    Ok(process::stream(&mut validate, |_| {})?)
}

/// Lints and renders a chart with the given values; returns the rendered file.
fn render(helm: &Path, chart: &Path, values: Option<&Path>, folder: &Path) -> anyhow::Result<PathBuf> {
    let helm = |arguments: &[&str]| {
        let mut command = Command::new(helm);
        command.args(arguments).arg(chart);
        if let Some(values) = values {
            command.arg("--values").arg(values);
        }
        command
    };
    process::stream(&mut helm(&["lint", "--strict"]), |_| {})?;
    let mut template = helm(&["template", "todostack", "--namespace", "todostack-system"]);
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file =
        folder.join(format!("{}-{}.yaml", name(chart), values.map_or_else(|| "defaults".to_owned(), name)));
    fs::write(&file, process::output(&mut template)?)?;
    Ok(file)
}

/// Every YAML file below a folder.
fn manifests(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(manifests(&path)?);
        } else if path.extension() == Some(OsStr::new("yaml")) {
            found.push(path);
        }
    }
    Ok(found)
}
