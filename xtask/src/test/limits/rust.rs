//! Wide lines of Rust. A line with a string may be wider, since a message that is not broken can be found by
//! its text; rustfmt keeps code to the limit, so in fact these are comments.

use super::COLUMNS;

/// Number and width of each line that is too wide.
pub(super) fn wide_lines(text: &str) -> Vec<(usize, usize)> {
    let widths = text.lines().map(|line| (line, line.chars().count())).enumerate();
    let wide = widths.filter(|(_, (line, columns))| *columns > COLUMNS && can_be_broken(line));
    wide.map(|(index, (_, columns))| (index + 1, columns)).collect()
}

/// Not a string, and not a comment of one word, such as a link.
fn can_be_broken(line: &str) -> bool {
    match line.trim_start().strip_prefix("//") {
        Some(comment) => comment.trim_start_matches(['/', '!']).split_whitespace().count() > 1,
        None => !line.contains('"'),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::code(format!("let x = {};", "a + ".repeat(30)), 1)]
    #[case::comment(format!("    // {}", "word ".repeat(30)), 1)]
    #[case::comment_with_a_quote(format!("/// \"{}\"", "word ".repeat(30)), 1)]
    #[case::link_in_a_comment(format!("/// https://{}", "a".repeat(120)), 0)]
    #[case::message(format!("let x = \"{}\";", "word ".repeat(30)), 0)]
    #[case::at_the_limit("a".repeat(110), 0)]
    fn only_a_line_that_can_be_broken_counts(#[case] text: String, #[case] wide: usize) {
        assert_eq!(wide_lines(&text).len(), wide);
    }
}
