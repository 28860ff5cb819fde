//! No snapshot is committed that no test reads. insta itself writes down which ones the tests read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

use crate::repository;

/// The file to which insta appends the path of each snapshot that a test reads.
pub(super) struct References {
    file: PathBuf,
}

impl References {
    /// An empty file for one run of all tests.
    pub(super) fn new() -> anyhow::Result<Self> {
        let file = repository::target().join("snapshots-referenced");
        fs::write(&file, "")?;
        Ok(Self { file })
    }

    /// Makes the tests of a command record the snapshots that they read.
    pub(super) fn record<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("INSTA_SNAPSHOT_REFERENCES_FILE", &self.file)
    }

    /// Fails with every snapshot of the checkout that none of the tests read.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let referenced = fs::read_to_string(&self.file)?;
        // insta's paths may go up and down again, as in `stack/src/../src/x.snap`.
        let referenced: BTreeSet<PathBuf> =
            referenced.lines().filter_map(|line| std::fs::canonicalize(line).ok()).collect();
        anyhow::ensure!(!referenced.is_empty(), "the tests recorded no snapshot that they read");
        let committed = repository::files(&["*.snap"])?;
        println!("{} snapshots are committed, {} were read", committed.len(), referenced.len());
        let unread = unread(&fs::canonicalize(repository::root())?, committed, &referenced);
        anyhow::ensure!(
            unread.is_empty(),
            "no test reads these snapshots: delete them with git rm:\n{}",
            unread.join("\n")
        );
        Ok(())
    }
}

fn unread(root: &Path, committed: Vec<String>, referenced: &BTreeSet<PathBuf>) -> Vec<String> {
    committed.into_iter().filter(|file| !referenced.contains(&root.join(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_in_another_folder_of_the_same_name_is_unread() {
        let referenced = BTreeSet::from([PathBuf::from("/src/stack/src/snapshots/a.snap")]);
        let committed = ["stack/src/snapshots/a.snap", "stack/stack/src/snapshots/a.snap"].map(str::to_owned);
        let expected = ["stack/stack/src/snapshots/a.snap"];
        assert_eq!(unread(Path::new("/src"), committed.to_vec(), &referenced), expected);
    }
}
