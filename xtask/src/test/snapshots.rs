//! No snapshot is committed that no test reads. insta itself writes down which ones the tests read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::repository;

/// The environment variable that names the file to which insta appends the path of each snapshot it reads.
pub(super) const VARIABLE: &str = "INSTA_SNAPSHOT_REFERENCES_FILE";

/// Fails with every snapshot of the checkout that is not in the file that the tests wrote.
pub(super) fn check(recorded: &Path) -> anyhow::Result<()> {
    let referenced = fs::read_to_string(recorded)?;
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

fn unread(root: &Path, committed: Vec<String>, referenced: &BTreeSet<PathBuf>) -> Vec<String> {
    committed.into_iter().filter(|file| !referenced.contains(&root.join(file))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_in_another_folder_of_the_same_name_is_unread() {
        let committed = ["stack/src/a.snap", "stack/stack/src/a.snap"].map(str::to_owned).to_vec();
        let unread = unread(Path::new("/src"), committed, &BTreeSet::from(["/src/stack/src/a.snap".into()]));
        assert_eq!(unread, ["stack/stack/src/a.snap"]);
    }
}
