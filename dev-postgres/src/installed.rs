//! What the machine has: the newest Postgres, and the user that its servers run as. Installs nothing.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result};

/// Where Debian and Ubuntu keep the servers of each version, none of them on PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder of the server's programs: the newest version of Debian's packages, else the one on PATH.
pub fn programs_folder() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = newest_first(Path::new(DEBIAN)).into_iter().chain(std::env::split_paths(&path));
    let has_server = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    folders.find(has_server).ok_or(Error::NotInstalled)
}

fn newest_first(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|version| folder.join(version.to_string()).join("bin")).collect()
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The user `postgres` when this process runs as root; otherwise servers run as this process does.
    pub(crate) fn of_servers() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let number = |option: &str| -> Option<u32> {
            let output = Command::new("id").args([option, "postgres"]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        let (Some(uid), Some(gid)) = (number("-u"), number("-g")) else { return Err(Error::NoUser) };
        Ok(Some(Self { uid, gid }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "current"] {
            std::fs::create_dir(folder.path().join(version)).unwrap();
        }
        let expected = ["15/bin", "9/bin"].map(|version| folder.path().join(version));
        assert_eq!(newest_first(folder.path()), expected);
    }
}
