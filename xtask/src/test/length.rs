//! No source file is longer than people read in one go.

use fs_err as fs;

use crate::repository;

/// Lines, tests included.
const LONGEST: usize = 300;

/// Fails with every file that is longer.
pub(super) fn check() -> anyhow::Result<()> {
    let mut long = Vec::new();
    for file in repository::files(&["*.rs", "*.sh", "*.sql"])? {
        long.extend(too_long(&file, &fs::read_to_string(repository::root().join(&file))?));
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
