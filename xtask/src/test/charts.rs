//! Charts, examples and manifests without a cluster: Helm's lint, and the schema of every object's kind.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

use todostack_testbed::binaries::{self, Module};
use todostack_testbed::process;

use super::schemas;
use crate::repository;

pub(super) fn check() -> anyhow::Result<()> {
    let helm = binaries::build(Module::Kubernetes)?.program("helm");
    let kubeconform = binaries::build(Module::Checks)?.program("kubeconform");
    let schemas = schemas::folder()?;
    let mut files = vec![repository::root().join("kind/nfs-server.yaml")];
    for folder in ["examples", "testbed/manifests"] {
        let found = manifests(Path::new(folder))?;
        anyhow::ensure!(!found.is_empty(), "{folder} has no manifest to check");
        // No manifests of Kubernetes.
        let compose = repository::root().join("examples/compose");
        files.extend(found.into_iter().filter(|file| !file.starts_with(&compose)));
    }
    let rendered = repository::target().join("charts");
    fs::create_dir_all(&rendered)?;
    for chart in fs::read_dir(repository::root().join("charts"))? {
        let chart = chart?.path();
        files.push(render(&helm, &chart, None, &rendered)?);
        // Other values than the defaults, in the folder that chart-testing reads.
        for values in manifests(&chart.join("ci"))? {
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
    let values = values.map_or_else(|| "defaults".to_owned(), name);
    let file = folder.join(format!("{}-{values}.yaml", name(chart)));
    fs::write(&file, process::output(&mut template)?)?;
    Ok(file)
}

fn manifests(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = repository::files(&[&format!("{}/*.yaml", folder.display())])?;
    Ok(files.iter().map(|file| repository::root().join(file)).collect())
}
