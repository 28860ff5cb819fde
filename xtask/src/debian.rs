//! Makes Debian root filesystems with debootstrap and works in them. What they are for is their callers'.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;

use crate::process::{self, Error};

/// Installs `suite` with the packages `include` into `root`.
pub(crate) fn bootstrap(suite: &str, root: &Path, include: &[&str]) -> Result<(), Error> {
    // In a mount namespace of its own: an interrupted debootstrap leaves no mounted /proc behind.
    let mut command = Command::new("unshare");
    command.args(["--mount", "debootstrap", "--variant=minbase"]);
    if !include.is_empty() {
        command.arg(format!("--include={}", include.join(",")));
    }
    command.arg(suite).arg(root);
    if let Some(mirror) = mirror() {
        command.arg(mirror);
    }
    process::run(&mut command)
}

/// Runs a program inside `root`, with /proc, as some packages' scripts want it.
pub(crate) fn run_in(root: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork"]);
    command.arg(format!("--mount-proc={}", root.join("proc").display()));
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    process::run(command.arg("chroot").arg(root).arg(program).args(arguments))
}

/// Installs packages inside `root`.
pub(crate) fn install_in(root: &Path, packages: &[&str]) -> Result<(), Error> {
    let arguments = ["-y", "-qq", "--no-install-recommends", "install"];
    run_in(root, "apt-get", &[arguments.as_slice(), packages].concat())
}

/// The Debian mirror that this machine's apt uses; debootstrap's own default elsewhere.
pub(crate) fn mirror() -> Option<String> {
    let format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let listed = process::output(Command::new("apt-get").args(format)).ok()?;
    listed.lines().map(str::trim).find(|line| line.ends_with("/debian/")).map(str::to_owned)
}

/// Unpacks one package of another suite into `folder`, without installing it.
pub(crate) fn unpack(suite: &str, package: &str, folder: &Path) -> anyhow::Result<()> {
    let apt = folder.join("apt");
    for below in ["lists", "cache"] {
        fs::create_dir_all(apt.join(below))?;
    }
    let mirror =
        mirror().context("apt has no Debian mirror: the NFS node's kernel is one of Debian's packages")?;
    fs::write(apt.join("sources.list"), format!("deb {mirror} {suite} main\n"))?;
    let shown = apt.display();
    let settings = format!(
        "Dir::Etc::sourcelist \"{shown}/sources.list\";\nDir::Etc::sourceparts \"-\";\n\
         Dir::State::lists \"{shown}/lists\";\nDir::Cache \"{shown}/cache\";\nAPT::Sandbox::User \"root\";\n"
    );
    let configuration = apt.join("apt.conf");
    fs::write(&configuration, settings)?;
    let run = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        process::run(command.env("APT_CONFIG", &configuration).current_dir(&apt).arg("-qq").args(arguments))
    };
    run(&["update"])?;
    run(&["download", package])?;
    for entry in fs::read_dir(&apt)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            process::run(Command::new("dpkg").arg("-x").arg(path).arg(folder))?;
        }
    }
    Ok(fs::remove_dir_all(apt)?)
}
