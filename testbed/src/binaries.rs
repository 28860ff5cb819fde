//! Builds the Go programs of testbed/: Kubernetes, its add-ons, the tools that check charts. Runs none.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;

use crate::key::Sources;
use crate::{cache, process, progress, repository};

/// A Go module whose `tool` lines name the programs to build.
#[derive(Clone, Copy, Debug)]
pub enum Module {
    /// The control plane, the node's programs, kubectl, helm, CoreDNS, Traefik.
    Kubernetes,
    /// local-path-provisioner. Go does not build it with the others: it imports `github.com/Sirupsen/logrus`,
    /// they import `github.com/sirupsen/logrus`.
    Addons,
    /// kind and kubeconform.
    Checks,
}

/// What `kubectl version` and the nodes' kubelet version print; the version of k8s.io/kubernetes in go.mod.
const KUBERNETES_VERSION: (&str, &str) = ("v1.36.3", "36");

/// The linker leaves DWARF out (`-w`); not generating it saves 10 % of the compilers' time.
const COMPILER_FLAGS: &str = "-gcflags=all=-dwarf=false";

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
            Self::Kubernetes => "6 to 12 min on two cores, once per machine",
            Self::Addons => "10 s, once per machine",
            Self::Checks => "1 min, once per machine",
        }
    }

    /// The files that change the programs: the module's, and the `main` packages of our own in `cmd`.
    fn sources(self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folder();
        let mut sources = vec![folder.join("go.mod"), folder.join("go.sum")];
        if matches!(self, Self::Kubernetes) {
            for program in fs::read_dir(folder.join("cmd"))? {
                sources.push(program?.path().join("main.go"));
            }
        }
        sources.sort();
        Ok(sources)
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
    let mut sources = Sources::default().text(COMPILER_FLAGS).text(&flags).text(&go);
    for source in module.sources()? {
        sources = sources.file(&source)?;
    }
    let key = sources.key();
    let folder = cache::entry(&format!("{}-{key}", module.name()), |built| {
        let what = format!("Building the programs of testbed's Go module \"{}\"", module.name());
        progress::step(&what, module.usual_time(), || {
            let mut command = Command::new("go");
            command
                .current_dir(&folder)
                .env("CGO_ENABLED", "0")
                .env("GOFLAGS", "-mod=readonly -buildvcs=false");
            command.args(["build", "-trimpath", COMPILER_FLAGS, "-ldflags", &flags, "-o"]);
            command.arg(built).arg("tool");
            Ok(process::run(&mut command)?)
        })
    })?;
    Ok(Binaries { folder, key })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_reported_version_is_that_of_the_module() {
        let go_mod = std::fs::read_to_string(Module::Kubernetes.folder().join("go.mod")).unwrap();
        let line = format!("k8s.io/kubernetes {}", KUBERNETES_VERSION.0);
        assert!(go_mod.contains(&line), "testbed/go.mod has no line {line:?}");
        assert!(KUBERNETES_VERSION.0.starts_with(&format!("v1.{}.", KUBERNETES_VERSION.1)));
    }

    /// The versions that a go.mod requires, by module.
    fn versions(module: Module) -> BTreeMap<String, String> {
        let go_mod = std::fs::read_to_string(module.folder().join("go.mod")).unwrap();
        let lines = go_mod.lines().filter_map(|line| line.strip_prefix('\t')?.split_once(" v"));
        lines.map(|(name, version)| (name.to_owned(), version.replace(" // indirect", ""))).collect()
    }

    /// Go compiles a package once only if all that it imports has the same version too. With client-go 0.30
    /// instead of the cluster's, the provisioner took a minute to build.
    #[test]
    fn the_provisioner_shares_the_compiled_packages_of_the_cluster() {
        let cluster = versions(Module::Kubernetes);
        let addons = versions(Module::Addons);
        assert!(addons.contains_key("k8s.io/client-go"));
        for (name, version) in addons {
            let shared = cluster.get(&name).unwrap_or(&version);
            assert_eq!(*shared, version, "{name} in testbed/go.mod and testbed/addons/go.mod");
        }
    }

    #[test]
    fn programs_of_our_own_are_among_the_sources() {
        let sources = Module::Kubernetes.sources().unwrap();
        let traefik = std::path::Path::new("cmd/traefik/main.go");
        assert!(sources.iter().any(|source| source.ends_with(traefik)), "{sources:?}");
        assert!(sources.iter().all(|source| source.is_file()), "{sources:?}");
    }
}
