//! Limits of source text: lines of a file, and columns of a line. What may be wider is decided in `limits/`.

mod markdown;
mod rust;

use fs_err as fs;

use crate::repository;

/// The most lines that a source file has, tests included.
const LINES: usize = 300;
/// The most columns that a line of code, a comment or a line of Markdown prose has.
const COLUMNS: usize = 110;

/// Fails with every file and line that exceeds a limit.
pub(super) fn check() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for file in repository::files(&["*.rs", "*.sh", "*.sql"])? {
        faults.extend(too_long(&file, &read(&file)?));
    }
    for file in repository::files(&["*.rs"])? {
        faults.extend(too_wide(&file, &rust::wide_lines(&read(&file)?)));
    }
    for file in repository::files(&["*.md"])? {
        faults.extend(too_wide(&file, &markdown::wide_lines(&read(&file)?)));
    }
    anyhow::ensure!(
        faults.is_empty(),
        "{} place(s) exceed the limit of {LINES} lines or {COLUMNS} columns:\n{}",
        faults.len(),
        faults.join("\n")
    );
    Ok(())
}

fn read(file: &str) -> std::io::Result<String> {
    fs::read_to_string(repository::root().join(file))
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LINES).then(|| format!("{file}: {lines} lines"))
}

fn too_wide(file: &str, lines: &[(usize, usize)]) -> Vec<String> {
    lines.iter().map(|(number, columns)| format!("{file}:{number}: {columns} columns")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_lines_itself_is_allowed() {
        assert_eq!(too_long("a.rs", &"line\n".repeat(300)), None);
        assert_eq!(too_long("a.rs", &"line\n".repeat(301)), Some("a.rs: 301 lines".to_owned()));
    }
}
