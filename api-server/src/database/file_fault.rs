//! Why a SQLite file cannot be written, and what to do: SQLite itself reports all of it as "unable to open
//! database file". How the file is opened is in the store.

use std::{
    fmt,
    fs::{self, Metadata, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::process::{getegid, geteuid};

/// SQLite creates this beside the file in its WAL mode.
const LOG: &str = "-wal";

/// A fault of the file or its folder, with its remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileFault {
    #[error("the folder {path} does not exist: run `mkdir -p {path}`, or name another file", path = .0.display())]
    NoFolder(PathBuf),
    #[error("{path} is a folder: name a file in it, such as {path}/todos.db", path = .0.display())]
    IsFolder(PathBuf),
    #[error("{} is read-only: mount it with write access, or name a file elsewhere", .0.display())]
    ReadOnly(PathBuf),
    #[error(
        "permission denied to write {path}, which belongs to {owner}, as {process}: run `chown -R {process} \
         {path}`, or for a container, on the host, with the folder that is mounted there",
        path = .0.display(), owner = .1, process = .2
    )]
    OfAnotherUser(PathBuf, User, User),
    #[error("permission denied to write {path}, whose mode is {:03o}: run `chmod u+rwX {path}`", .1, path = .0.display())]
    ByItsMode(PathBuf, u32),
    #[error("failed to write {}", .0.display())]
    Other(PathBuf, #[source] io::Error),
}

/// As `chown` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    id: u32,
    group: u32,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.group)
    }
}

/// Tries to write the file, and what SQLite creates beside it. Returns `None` when that succeeds.
pub(super) fn find(file: &Path) -> Option<FileFault> {
    let folder = file.parent().unwrap_or(file);
    if !folder.exists() {
        return Some(FileFault::NoFolder(folder.to_owned()));
    }
    if file.is_dir() {
        return Some(FileFault::IsFolder(file.to_owned()));
    }
    let mut log = file.as_os_str().to_owned();
    log.push(LOG);
    let paths = [file.to_owned(), PathBuf::from(log)];
    paths.into_iter().find_map(|path| {
        let error = try_to_write(&path).err()?;
        // What does not exist yet is created in the folder.
        let path = if path.exists() { path } else { folder.to_owned() };
        Some(match (error.kind(), fs::metadata(&path)) {
            (ErrorKind::ReadOnlyFilesystem, _) => FileFault::ReadOnly(path),
            (ErrorKind::PermissionDenied, Ok(found)) => denied(path, &found),
            _ => FileFault::Other(path, error),
        })
    })
}

/// An empty file is what SQLite itself begins with.
fn try_to_write(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).append(true).create(true).open(path).map(drop)
}

fn denied(path: PathBuf, found: &Metadata) -> FileFault {
    let owner = User { id: found.uid(), group: found.gid() };
    let process = User { id: geteuid().as_raw(), group: getegid().as_raw() };
    if owner.id == process.id {
        FileFault::ByItsMode(path, found.mode() & 0o777)
    } else {
        FileFault::OfAnotherUser(path, owner, process)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const IMAGE: User = User { id: 65_532, group: 65_532 };

    #[rstest]
    #[case::owner(
        FileFault::OfAnotherUser("/data".into(), User { id: 0, group: 0 }, IMAGE),
        "permission denied to write /data, which belongs to 0:0, as 65532:65532: run `chown -R 65532:65532 \
         /data`, or for a container, on the host, with the folder that is mounted there"
    )]
    #[case::mode(
        FileFault::ByItsMode("/data/todos.db".into(), 0o444),
        "permission denied to write /data/todos.db, whose mode is 444: run `chmod u+rwX /data/todos.db`"
    )]
    #[case::folder(
        FileFault::NoFolder("/data".into()),
        "the folder /data does not exist: run `mkdir -p /data`, or name another file"
    )]
    fn a_fault_says_what_and_where_and_what_to_run(#[case] fault: FileFault, #[case] expected: &str) {
        assert_eq!(fault.to_string(), expected);
    }

    #[test]
    fn a_file_that_can_be_written_has_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(&folder.path().join("todos.db")).is_none());
    }

    #[test]
    fn a_folder_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("none");
        assert!(matches!(find(&none.join("todos.db")), Some(FileFault::NoFolder(path)) if path == none));
    }

    // Docker creates a folder for a file that is mounted and does not exist.
    #[test]
    fn a_folder_is_not_a_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path()), Some(FileFault::IsFolder(_))));
    }
}
