//! Programs that a machine must have: finds them, installs them on Debian and Ubuntu, or names the missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, progress};

/// A program that must be installed, and the Debian packages that it needs, separated by spaces.
type Program = (&'static str, &'static str);

pub const LOCAL_CLUSTER: &[Program] = &[
    ("buildah", "buildah"),
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("debootstrap", "debootstrap"),
    ("socat", "socat"),
    ("iptables", "iptables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("sysctl", "procps"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("setsid", "util-linux"),
    ("unshare", "util-linux"),
    ("tar", "tar"),
    ("gcc", "gcc libc6-dev"),
];

pub const IMAGES: &[Program] = &[("buildah", "buildah")];

pub const SHELL: &[Program] = &[("shellcheck", "shellcheck")];

/// The clients with which the queries of the API are prepared.
pub const QUERIES: &[Program] = &[("psql", "postgresql-client"), ("sqlite3", "sqlite3")];

pub const POSTGRES: &[Program] = &[("pg_ctl", "postgresql"), ("initdb", "postgresql")];

/// The pooler that the API is tested with.
pub const POOLER: &[Program] = &[("pgbouncer", "pgbouncer")];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this machine lacks {missing}{why}\n  Install them and run the command again.")]
    Missing {
        missing: String,
        /// Why they were not installed, beginning with its punctuation.
        why: &'static str,
    },
    #[error("{what} needs root (network namespaces, mounts, cgroups): run it as root, or with sudo -E")]
    NotRoot { what: &'static str },
    #[error("failed to install {packages}")]
    Install { packages: String, source: process::Error },
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub fn root(what: &'static str) -> Result<(), Error> {
    if is_root() { Ok(()) } else { Err(Error::NotRoot { what }) }
}

pub fn programs(programs: &[Program]) -> Result<(), Error> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let why = if !Path::new("/etc/debian_version").exists() {
        "; it is neither Debian nor Ubuntu, so they are not installed from here."
    } else if !is_root() {
        ", and installing them needs root."
    } else {
        return install(&missing);
    };
    Err(Error::Missing { missing: named(&missing), why })
}

fn missing(programs: &[Program]) -> Vec<Program> {
    programs.iter().copied().filter(|(name, _)| find(name).is_none()).collect()
}

fn named(programs: &[Program]) -> String {
    let named = programs.iter().map(|(name, packages)| format!("{name} (Debian package {packages})"));
    named.collect::<Vec<_>>().join(", ")
}

fn install(programs: &[Program]) -> Result<(), Error> {
    let packages: BTreeSet<&str> = programs.iter().flat_map(|(_, packages)| packages.split(' ')).collect();
    let packages = Vec::from_iter(packages);
    let listed = packages.join(" ");
    progress::step(&format!("Installing Debian packages: {listed}"), "30 s", || {
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive").args(["-y", "-qq"]).args(arguments);
            process::run(&mut command).map_err(|source| Error::Install { packages: listed.clone(), source })
        };
        apt(&["update"])?;
        apt(&[&["install", "--no-install-recommends"], packages.as_slice()].concat())
    })?;
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Missing { missing: named(&missing), why: ", although their packages were installed." })
}

/// The paths of programs that no Debian package has; the error names all that are missing.
pub fn on_path<const N: usize>(names: [&str; N]) -> Result<[PathBuf; N], Error> {
    let missing: Vec<&str> = names.into_iter().filter(|name| find(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(names.map(|name| find(name).unwrap_or_default()));
    }
    Err(Error::Missing { missing: missing.join(", "), why: " on its PATH." })
}

/// The path of a program: on PATH, where root's programs are, or in Debian's newest Postgres.
pub fn find(name: &str) -> Option<PathBuf> {
    // ip and iptables are in sbin folders, which only root has on its PATH.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let mut paths = on_path.chain(todostack_dev_postgres::programs_folder()).map(|folder| folder.join(name));
    paths.find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_all_missing_programs() {
        let missing = named(&[("one", "package-one"), ("two", "package-two")]);
        let error = Error::Missing { missing, why: "" }.to_string();
        let expected = "lacks one (Debian package package-one), two (Debian package package-two)";
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn programs_on_the_path_are_found() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program").is_none());
    }
}
