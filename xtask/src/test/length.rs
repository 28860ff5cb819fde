//! No source file is longer than people read in one go.

use std::process::Command;

use anyhow::Context as _;

use crate::{process, repository};

/// Lines, tests included.
const LONGEST: usize = 300;

/// Fails with every file that is longer.
pub(super) fn check() -> anyhow::Result<()> {
    let mut git = Command::new("git");
    // Files that are not committed yet count too.
    git.current_dir(repository::root());
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.rs", "*.sh", "*.sql"]);
    let listed = process::output(&mut git).context("failed to list the repository's files")?;
    let mut long = Vec::new();
    for file in listed.lines() {
        // A file that was deleted but not committed is listed too.
        let Ok(text) = std::fs::read_to_string(repository::root().join(file)) else { continue };
        long.extend(too_long(file, &text));
    }
    anyhow::ensure!(
        long.is_empty(),
        "longer than {LONGEST} lines, so to be split by topic: {}",
        long.join(", ")
    );
    Ok(())
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LONGEST).then(|| format!("{file} ({lines})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(too_long("a.rs", &"line\n".repeat(300)), None);
        assert_eq!(too_long("a.rs", &"line\n".repeat(301)), Some("a.rs (301)".to_owned()));
    }
}
