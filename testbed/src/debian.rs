//! Makes Debian root filesystems with debootstrap and runs programs in them. The callers decide what goes in.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;

use crate::process::{self, Error};

/// Installs `suite` with the packages `include`, separated by commas, into `root`.
pub(crate) fn bootstrap(suite: &str, root: &Path, include: &str) -> Result<(), Error> {
    // In its own mount namespace: an interrupted debootstrap leaves no mounted /proc behind.
    let mut command = Command::new("unshare");
    command.args(["--mount", "debootstrap", "--variant=minbase"]);
    if !include.is_empty() {
        command.arg(format!("--include={include}"));
    }
    command.arg(suite).arg(root);
    if let Some(mirror) = mirror() {
        command.arg(mirror);
    }
    process::run(&mut command)
}

pub(crate) fn run_in(root: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork"]);
    // Some packages' scripts read /proc.
    command.arg(format!("--mount-proc={}", root.join("proc").display()));
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    process::run(command.arg("chroot").arg(root).arg(program).args(arguments))
}

/// Unpacks one package of another suite into the folder `into` of `root`, without installing it.
pub(crate) fn unpack_in(root: &Path, suite: &str, package: &str, into: &str) -> anyhow::Result<()> {
    let list = root.join("etc/apt/sources.list");
    let own = fs::read_to_string(&list)?;
    let other: Vec<String> = own.lines().filter_map(|line| for_suite(line, suite)).collect();
    fs::write(&list, other.join("\n") + "\n")?;
    // An index that expired weeks ago still lists the package, and its signature is verified all the same.
    run_in(root, "apt-get", &["-qq", "-o", "Acquire::Check-Valid-Until=false", "update"])?;
    run_in(root, "apt-get", &["-qq", "download", package])?;
    fs::write(&list, own)?;
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("deb")) {
            let name = path.file_name().and_then(OsStr::to_str);
            let name = name.context("a package with a name that is not UTF-8")?;
            run_in(root, "dpkg", &["-x", &format!("/{name}"), into])?;
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn for_suite(line: &str, suite: &str) -> Option<String> {
    let mut fields: Vec<&str> = line.split_whitespace().collect();
    *fields.get_mut(2)? = suite;
    (fields.first() == Some(&"deb")).then(|| fields.join(" "))
}

/// The Debian mirror that this machine's apt uses; none on Ubuntu, where debootstrap has a default.
fn mirror() -> Option<String> {
    let format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let listed = process::output(Command::new("apt-get").args(format)).ok()?;
    listed.lines().map(str::trim).find(|line| line.ends_with("/debian/")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_suite_comes_from_the_same_mirror() {
        let line = "deb http://mirror.example/debian/ trixie main";
        assert_eq!(for_suite(line, "sid").as_deref(), Some("deb http://mirror.example/debian/ sid main"));
        assert_eq!(for_suite("# a comment of three words", "sid"), None);
        assert_eq!(for_suite("", "sid"), None);
    }
}
