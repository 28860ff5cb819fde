//! The charts and examples without a cluster: Helm's lint, and every object against the schema of its kind.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

use super::schemas;
use crate::binaries::{self, Module};
use crate::{process, repository};

/// Fails with the charts' and examples' faults.
pub(super) fn check() -> anyhow::Result<()> {
    let helm = binaries::build(Module::Kubernetes)?.program("helm");
    let kubeconform = binaries::build(Module::Checks)?.program("kubeconform");
    let schemas = schemas::folder()?;
    let mut files = manifests(&repository::root().join("examples"))?;
    anyhow::ensure!(!files.is_empty(), "there is no example to check");
    let rendered = repository::target().join("charts");
    fs::create_dir_all(&rendered)?;
    for chart in fs::read_dir(repository::root().join("charts"))? {
        let chart = chart?;
        process::stream(Command::new(&helm).args(["lint", "--strict"]).arg(chart.path()), |_| {})?;
        let mut template = Command::new(&helm);
        template.args(["template", "todostack"]).arg(chart.path()).args(["--namespace", "todostack-system"]);
        let file = rendered.join(chart.file_name()).with_extension("yaml");
        fs::write(&file, process::output(&mut template)?)?;
        files.push(file);
    }
    let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", schemas.display());
    let mut validate = Command::new(kubeconform);
    validate.args(["-strict", "-summary", "-schema-location", &location]).args(files);
    Ok(process::stream(&mut validate, |_| {})?)
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
