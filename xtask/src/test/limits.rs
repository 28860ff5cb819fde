//! Limits of source text: lines of a file, and columns of a line. Lines that cannot be wrapped do not count.

use fs_err as fs;

use crate::repository;

/// The most lines that a source file has, tests included.
const LINES: usize = 300;
const COLUMNS: usize = 110;

pub(super) fn check() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for file in repository::files(&["*.rs", "*.sh", "*.sql", "*.md", "*.js", "*.css"])? {
        let text = fs::read_to_string(repository::root().join(&file))?;
        let extension = file.rsplit('.').next();
        if extension != Some("md") {
            faults.extend(too_long(&file, &text));
        }
        let wide = match extension {
            Some("md") => wide_markdown(&text),
            Some("rs" | "js" | "css") => {
                wide(text.lines().enumerate().filter(|(_, line)| can_be_wrapped(line)))
            }
            _ => continue,
        };
        faults.extend(wide.iter().map(|(number, columns)| format!("{file}:{number}: {columns} columns")));
    }
    anyhow::ensure!(
        faults.is_empty(),
        "{} place(s) exceed the limit of {LINES} lines or {COLUMNS} columns:\n{}",
        faults.len(),
        faults.join("\n")
    );
    Ok(())
}

fn too_long(file: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LINES).then(|| format!("{file}: {lines} lines"))
}

/// Number and width of each line that is too wide.
fn wide<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, usize)> {
    let widths = lines.map(|(index, line)| (index + 1, line.chars().count()));
    widths.filter(|(_, columns)| *columns > COLUMNS).collect()
}

fn can_be_wrapped(line: &str) -> bool {
    match line.trim_start().strip_prefix("//") {
        // A comment of one word is a link.
        Some(comment) => comment.trim_start_matches(['/', '!']).split_whitespace().count() > 1,
        // A message that is not broken can be found by its text; formatters keep other code to the limit.
        None => !line.contains(['"', '\'', '`']),
    }
}

fn wide_markdown(text: &str) -> Vec<(usize, usize)> {
    let mut in_code = false;
    wide(text.lines().enumerate().filter(|(_, line)| {
        let trimmed = line.trim_start();
        in_code ^= trimmed.starts_with("```");
        let is_indented_code = line.starts_with("    ") && !trimmed.starts_with(['-', '*']);
        let has_link = line.contains("](") || line.contains("://");
        !(in_code || is_indented_code || has_link || trimmed.starts_with('|'))
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_limit_of_lines_itself_is_allowed() {
        assert_eq!(too_long("a.rs", &"line\n".repeat(300)), None);
        assert_eq!(too_long("a.rs", &"line\n".repeat(301)), Some("a.rs: 301 lines".to_owned()));
    }

    #[rstest]
    #[case::code(format!("let x = {};", "a + ".repeat(30)), true)]
    #[case::comment(format!("    // {}", "word ".repeat(30)), true)]
    #[case::comment_with_a_quote(format!("/// \"{}\"", "word ".repeat(30)), true)]
    #[case::link_in_a_comment(format!("/// https://{}", "a".repeat(120)), false)]
    #[case::message(format!("let x = \"{}\";", "word ".repeat(30)), false)]
    fn a_line_of_rust_with_a_message_or_a_link_may_be_wide(#[case] line: String, #[case] wrapped: bool) {
        assert_eq!(can_be_wrapped(&line), wrapped);
    }

    #[rstest]
    #[case::at_the_limit("a".repeat(110), 0)]
    #[case::prose("word ".repeat(30), 1)]
    #[case::table(format!("| {} |", "word ".repeat(30)), 0)]
    #[case::fenced_code(format!("```sh\n{}\n```", "word ".repeat(30)), 0)]
    #[case::indented_code(format!("    {}", "word ".repeat(30)), 0)]
    #[case::link(format!("see [this]({})", "a".repeat(120)), 0)]
    #[case::address(format!("see https://{}", "a".repeat(120)), 0)]
    #[case::prose_after_code(format!("```\ncode\n```\n{}", "word ".repeat(30)), 1)]
    fn only_prose_that_can_be_wrapped_counts(#[case] text: String, #[case] wide: usize) {
        assert_eq!(wide_markdown(&text).len(), wide);
    }
}
