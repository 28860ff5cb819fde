//! Programs that a machine must have: finds them, installs them on Debian and Ubuntu, or names the missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, progress};

/// A program that must be installed, and the Debian package that has it.
pub struct Program {
    name: &'static str,
    package: &'static str,
}

const fn program(name: &'static str, package: &'static str) -> Program {
    Program { name, package }
}

/// The programs that the local cluster needs.
pub const LOCAL_CLUSTER: &[Program] = &[
    program("buildah", "buildah"),
    program("containerd", "containerd"),
    program("ctr", "containerd"),
    program("runc", "runc"),
    program("debootstrap", "debootstrap"),
    program("socat", "socat"),
    program("iptables", "iptables"),
    program("conntrack", "conntrack"),
    program("ip", "iproute2"),
    program("sysctl", "procps"),
    program("mount", "mount"),
    program("nsenter", "util-linux"),
    program("setsid", "util-linux"),
    program("unshare", "util-linux"),
    program("tar", "tar"),
    program("gcc", "gcc libc6-dev"),
];

/// The programs that build images.
pub const IMAGES: &[Program] = &[program("buildah", "buildah")];

/// The program that checks shell scripts.
pub const SHELL: &[Program] = &[program("shellcheck", "shellcheck")];

/// The clients with which the queries of the API are prepared.
pub const QUERIES: &[Program] = &[program("psql", "postgresql-client"), program("sqlite3", "sqlite3")];

/// The programs of the tests' temporary Postgres.
pub const POSTGRES: &[Program] = &[program("pg_ctl", "postgresql"), program("initdb", "postgresql")];

/// A prerequisite that is not met.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Programs are missing and cannot be installed from here.
    #[error("this machine lacks {missing}{why}\n  Install them and run the command again.")]
    Missing {
        /// The programs, with their Debian packages.
        missing: String,
        /// Why they were not installed, beginning with its punctuation.
        why: &'static str,
    },
    /// This process is not root.
    #[error("{what} needs root (network namespaces, mounts, cgroups): run it as root, or with sudo -E")]
    NotRoot {
        /// What needs root.
        what: &'static str,
    },
    /// `apt-get` failed.
    #[error("failed to install {packages}")]
    Install {
        /// The packages, separated by spaces.
        packages: String,
        /// The failure of `apt-get`.
        source: process::Error,
    },
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Fails unless this process runs as root.
pub fn root(what: &'static str) -> Result<(), Error> {
    if is_root() { Ok(()) } else { Err(Error::NotRoot { what }) }
}

/// Makes sure that all of `programs` are installed.
pub fn programs(programs: &[Program]) -> Result<(), Error> {
    let missing: Vec<&Program> = programs.iter().filter(|program| find(program.name).is_none()).collect();
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

fn named(missing: &[&Program]) -> String {
    let named =
        missing.iter().map(|program| format!("{} (Debian package {})", program.name, program.package));
    named.collect::<Vec<_>>().join(", ")
}

fn install(missing: &[&Program]) -> Result<(), Error> {
    let mut packages: Vec<&str> = missing.iter().flat_map(|program| program.package.split(' ')).collect();
    packages.sort_unstable();
    packages.dedup();
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
    let missing: Vec<&Program> =
        missing.iter().copied().filter(|program| find(program.name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Missing { missing: named(&missing), why: ", although their packages were installed." })
}

/// The paths of programs that no Debian package has; the error names all that are missing.
pub fn on_path(names: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let missing: Vec<&str> = names.iter().copied().filter(|name| find(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(names.iter().filter_map(|name| find(name)).collect());
    }
    Err(Error::Missing { missing: missing.join(", "), why: " on its PATH." })
}

/// The path of a program: on PATH, where root's programs are, or in Debian's newest Postgres.
pub fn find(name: &str) -> Option<PathBuf> {
    // ip and iptables are in sbin folders, which only root has on its PATH.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    on_path
        .chain(todostack_dev_postgres::programs_folder())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_all_missing_programs() {
        let (one, two) = (program("one", "package-one"), program("two", "package-two"));
        let error = Error::Missing { missing: named(&[&one, &two]), why: "" };
        assert!(
            error
                .to_string()
                .contains("lacks one (Debian package package-one), two (Debian package package-two)")
        );
    }

    #[test]
    fn programs_on_the_path_are_found() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program").is_none());
    }
}
