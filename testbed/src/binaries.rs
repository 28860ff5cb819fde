//! Builds the Go programs of testbed/: Kubernetes, its add-ons, tools of checks and benchmarks. Runs none.

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
    Checks,
    /// kwok: nodes that only pretend to run pods, for benchmarks.
    Kwok,
    /// Toxiproxy: a TCP proxy that delays, drops and resets, for tests.
    Toxiproxy,
    /// kro, the operator that benchmarks compare with.
    Kro,
}

// The linker leaves DWARF out (`-w`); not generating it saves 10 % of the compilers' time.
const COMPILER_FLAGS: &str = "-gcflags=all=-dwarf=false";
/// For `kubectl version` and the nodes' kubelet version; the version of k8s.io/kubernetes in go.mod.
const KUBERNETES_VERSION: &str = " -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36";

impl Module {
    fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Kubernetes => ("kubernetes", "6 to 12 min on two cores, once per machine"),
            Self::Addons => ("addons", "10 s, once per machine"),
            Self::Checks => ("checks", "1 min, once per machine"),
            Self::Kwok => ("kwok", "3 min, once per machine"),
            Self::Toxiproxy => ("toxiproxy", "1 min, once per machine"),
            Self::Kro => ("kro", "3 min, once per machine"),
        }
    }

    fn folder(self) -> PathBuf {
        let testbed = repository::testbed();
        match self {
            Self::Kubernetes => testbed.to_owned(),
            Self::Addons => testbed.join("addons"),
            Self::Checks => testbed.join("checks"),
            Self::Kwok => testbed.join("kwok"),
            Self::Toxiproxy => testbed.join("toxiproxy"),
            Self::Kro => testbed.join("kro"),
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
}

pub struct Binaries {
    pub folder: PathBuf,
    /// It changes with their sources, flags and Go version.
    pub key: String,
}

impl Binaries {
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Builds the programs of `module` unless the cache has them.
pub fn build(module: Module) -> anyhow::Result<Binaries> {
    let go = process::output(Command::new("go").args(["env", "GOVERSION"]))
        .context("failed to run Go, which builds Kubernetes: install Go 1.26 or later")?;
    let version = if matches!(module, Module::Kubernetes) { KUBERNETES_VERSION } else { "" };
    let flags = format!("-s -w{version}");
    let mut sources = Sources::default().text(COMPILER_FLAGS).text(&flags).text(go);
    for source in module.sources()? {
        sources = sources.file(&source)?;
    }
    let key = sources.key();
    let (name, usual) = module.describe();
    let folder = cache::entry(&format!("{name}-{key}"), |built| {
        progress::step(&format!("Building the programs of testbed's Go module \"{name}\""), usual, || {
            let mut go = Command::new("go");
            go.current_dir(module.folder()).env("CGO_ENABLED", "0");
            go.env("GOFLAGS", "-mod=readonly -buildvcs=false");
            go.args(["build", "-trimpath", COMPILER_FLAGS, "-ldflags", &flags, "-o"]);
            Ok(process::run(go.arg(built).arg("tool"))?)
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
        let versions = versions(Module::Kubernetes);
        let version: Vec<&str> = versions["k8s.io/kubernetes"].split('.').collect();
        let (major, minor, patch) = (version[0], version[1], version[2]);
        let expected =
            [format!("Version=v{major}.{minor}.{patch}"), format!("Major={major}"), format!("Minor={minor}")];
        let set = KUBERNETES_VERSION.split(" -X k8s.io/component-base/version.git");
        assert_eq!(set.skip(1).collect::<Vec<_>>(), expected);
    }

    fn versions(module: Module) -> BTreeMap<String, String> {
        let go_mod = std::fs::read_to_string(module.folder().join("go.mod")).unwrap();
        let lines = go_mod.lines().filter_map(|line| line.strip_prefix('\t')?.split_once(" v"));
        lines.map(|(name, version)| (name.to_owned(), version.replace(" // indirect", ""))).collect()
    }

    // Go compiles a package once only if all that it imports has the same version too. With client-go 0.30
    // instead of the cluster's, the provisioner took a minute to build.
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
