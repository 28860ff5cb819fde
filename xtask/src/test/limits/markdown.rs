//! Wide lines of Markdown. Tables, code blocks and the targets of links cannot be wrapped, so they do not
//! count.

use super::COLUMNS;

/// Number and width of each line of prose that is too wide.
pub(super) fn wide_lines(text: &str) -> Vec<(usize, usize)> {
    let mut in_code = false;
    let mut wide = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let is_table = line.trim_start().starts_with('|');
        let is_indented_code = line.starts_with("    ") && !line.trim_start().starts_with(['-', '*']);
        if in_code || is_table || is_indented_code {
            continue;
        }
        let columns = without_link_targets(line).chars().count();
        if columns > COLUMNS {
            wide.push((index + 1, columns));
        }
    }
    wide
}

/// A line without `(target)` after `]`, and without bare addresses.
fn without_link_targets(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some((before, target)) = rest.split_once("](") {
        kept.push_str(before);
        kept.push(']');
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let is_address = |word: &&str| word.contains("://");
    kept.split(' ').filter(|word| !is_address(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::prose("word ".repeat(30), 1)]
    #[case::table(format!("| {} |", "word ".repeat(30)), 0)]
    #[case::fenced_code(format!("```sh\n{}\n```", "word ".repeat(30)), 0)]
    #[case::indented_code(format!("    {}", "word ".repeat(30)), 0)]
    #[case::link(format!("see [this]({})", "a".repeat(120)), 0)]
    #[case::address(format!("see https://{}", "a".repeat(120)), 0)]
    #[case::prose_with_a_link(format!("{} [this](a)", "word ".repeat(30)), 1)]
    #[case::prose_after_code(format!("```\ncode\n```\n{}", "word ".repeat(30)), 1)]
    fn only_prose_that_can_be_wrapped_counts(#[case] text: String, #[case] wide: usize) {
        assert_eq!(wide_lines(&text).len(), wide);
    }
}
