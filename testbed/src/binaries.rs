//! Builds the Go programs of testbed/: Kubernetes, its add-ons, the tools that check charts. Runs none.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::key::Sources;
use crate::{cache, process, progress, repository};

/// A Go module whose `tool` lines name the programs to build.
#[derive(Clone, Copy, Debug)]
pub enum Module {
    /// The control plane, the node's programs, kubectl, helm, CoreDNS, Traefik.
    Kubernetes,
    /// local-path-provisioner, whose dependencies conflict with those of Kubernetes.
    Addons,
    /// kind and kubeconform.
    Checks,
}

/// What `kubectl version` and the nodes' kubelet version print; the version of k8s.io/kubernetes in go.mod.
const KUBERNETES_VERSION: (&str, &str) = ("v1.36.3", "36");

impl Module {
    fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Addons => "addons",
            Self::Checks => "checks",
        }
    }

    fn folder(self) -> PathBuf {
        let testbed = repository::testbed();
        match self {
            Self::Kubernetes => testbed.to_owned(),
            Self::Addons | Self::Checks => testbed.join(self.name()),
        }
    }

    fn usual_time(self) -> &'static str {
        match self {
            Self::Kubernetes => "15 to 20 min on two cores, once per machine",
            Self::Addons | Self::Checks => "1 min, once per machine",
        }
    }

    fn linker_flags(self) -> String {
        let (version, minor) = KUBERNETES_VERSION;
        let set = "-X k8s.io/component-base/version.git";
        match self {
            Self::Kubernetes => {
                format!("-s -w {set}Version={version} {set}Major=1 {set}Minor={minor}")
            }
            Self::Addons | Self::Checks => "-s -w".to_owned(),
        }
    }
}

/// The programs of a module, and the key that changes when they do.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The folder of the programs.
    pub folder: PathBuf,
    /// The key of their sources, flags and Go version.
    pub key: String,
}

impl Binaries {
    /// The path of one program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Builds the programs of `module` unless the cache has them.
pub fn build(module: Module) -> anyhow::Result<Binaries> {
    let go = process::output(Command::new("go").args(["env", "GOVERSION"]))
        .context("failed to run Go, which builds Kubernetes: install Go 1.26 or later")?;
    let folder = module.folder();
    let flags = module.linker_flags();
    let key = Sources::default()
        .file(&folder.join("go.mod"))?
        .file(&folder.join("go.sum"))?
        .text(&flags)
        .text(&go)
        .key();
    let folder = cache::entry(&format!("{}-{key}", module.name()), |built| {
        let what = format!("Building the programs of testbed's Go module \"{}\"", module.name());
        progress::step(&what, module.usual_time(), || {
            let mut command = Command::new("go");
            command
                .current_dir(&folder)
                .env("CGO_ENABLED", "0")
                .env("GOFLAGS", "-mod=readonly -buildvcs=false");
            command.args(["build", "-trimpath", "-ldflags", &flags, "-o"]).arg(built).arg("tool");
            Ok(process::run(&mut command)?)
        })
    })?;
    Ok(Binaries { folder, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reported_version_is_that_of_the_module() {
        let go_mod = std::fs::read_to_string(Module::Kubernetes.folder().join("go.mod")).unwrap();
        let line = format!("k8s.io/kubernetes {}", KUBERNETES_VERSION.0);
        assert!(go_mod.contains(&line), "testbed/go.mod has no line {line:?}");
        assert!(KUBERNETES_VERSION.0.starts_with(&format!("v1.{}.", KUBERNETES_VERSION.1)));
    }
}
