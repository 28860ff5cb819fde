//! Wide lines of Rust. Raw strings keep their line breaks, and a word of a string or a comment cannot be
//! broken, so these may be wider; any other string can be continued on the next line after a backslash.

use super::COLUMNS;

/// Number and width of each line that is too wide.
pub(super) fn wide_lines(text: &str) -> Vec<(usize, usize)> {
    let mut scanner = Scanner::default();
    let mut wide = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        let at_limit = scanner.line(line);
        if columns > COLUMNS && !may_be_wider(line, at_limit) {
            wide.push((index + 1, columns));
        }
    }
    wide
}

/// Whether what is at the limit is a raw string, or one word of a string or a comment that fills the line.
fn may_be_wider(line: &str, at_limit: Token) -> bool {
    let words = line.trim_start().trim_start_matches(['/', '!']).split_whitespace().count();
    match at_limit {
        Token::Raw(_) => true,
        Token::Text | Token::Comment => words == 1,
        Token::Code => false,
    }
}

/// What a character of a source file belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Token {
    #[default]
    Code,
    Comment,
    /// A string that is not raw.
    Text,
    /// A raw string with this number of `#`.
    Raw(usize),
}

/// Follows strings and comments from line to line.
#[derive(Default)]
struct Scanner {
    token: Token,
}

impl Scanner {
    /// Reads one line; what the first character after the limit belongs to.
    fn line(&mut self, line: &str) -> Token {
        if self.token == Token::Comment {
            self.token = Token::Code;
        }
        let mut at_limit = self.token;
        let mut rest = line;
        let mut column = 0;
        let mut before = self.token;
        while let Some(length) = self.step(line, rest) {
            let (step, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            if column <= COLUMNS {
                // A quote belongs to its string, at both ends.
                at_limit = if before == Token::Code { self.token } else { before };
            }
            column += step.chars().count();
            before = self.token;
            rest = after;
        }
        at_limit
    }

    /// Takes the next token or a part of it; the number of its bytes, or none at the end of the line.
    fn step(&mut self, line: &str, rest: &str) -> Option<usize> {
        let first = rest.chars().next()?;
        let (length, next) = match self.token {
            Token::Comment => (rest.len(), Token::Comment),
            Token::Text if first == '\\' => (1 + rest.chars().nth(1).map_or(0, char::len_utf8), Token::Text),
            Token::Text if first == '"' => (1, Token::Code),
            Token::Raw(hashes) if rest.starts_with(&format!("\"{}", "#".repeat(hashes))) => {
                (1 + hashes, Token::Code)
            }
            Token::Code => code(line, rest, first),
            inside => (first.len_utf8(), inside),
        };
        self.token = next;
        Some(length)
    }
}

/// The next step in code: its length, and what comes after it.
fn code(line: &str, rest: &str, first: char) -> (usize, Token) {
    let before = line.strip_suffix(rest).and_then(|before| before.chars().next_back());
    let in_name = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    match first {
        '/' if rest.starts_with("//") => (rest.len(), Token::Comment),
        '"' => (1, Token::Text),
        // A character, unless it is a lifetime.
        '\'' => match rest.char_indices().nth(if rest.starts_with("'\\") { 3 } else { 2 }) {
            Some((end, '\'')) => (end + 1, Token::Code),
            _ => (1, Token::Code),
        },
        'r' | 'b' if !in_name => {
            let prefix = rest.trim_start_matches('b').trim_start_matches('r');
            let hashes = prefix.len() - prefix.trim_start_matches('#').len();
            let opening = rest.len() - prefix.len() + hashes + 1;
            let is_raw = rest.trim_start_matches('b').starts_with('r');
            if is_raw && prefix.trim_start_matches('#').starts_with('"') {
                (opening, Token::Raw(hashes))
            } else {
                (1, Token::Code)
            }
        }
        _ => (first.len_utf8(), Token::Code),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::code(format!("let x = {};", "a + ".repeat(30)), 1)]
    #[case::comment(format!("// {}", "word ".repeat(30)), 1)]
    #[case::doc_comment(format!("/// {}", "word ".repeat(30)), 1)]
    #[case::one_word_of_a_comment(format!("/// https://{}", "a".repeat(120)), 0)]
    #[case::text(format!("let x = \"{}\";", "word ".repeat(30)), 1)]
    #[case::one_word_of_a_text(format!("    \"{}\",", "a".repeat(120)), 0)]
    #[case::raw(format!("let x = r#\"{}\"#;", "a \" b ".repeat(30)), 0)]
    #[case::raw_over_lines(format!("let x = r\"\n{}\n\";", "word ".repeat(30)), 0)]
    #[case::code_after_raw(format!("let x = r\"\n\"; {}", "a + ".repeat(30)), 1)]
    #[case::comment_after_a_quote_as_character(format!("'\"' // {}", "word ".repeat(30)), 1)]
    #[case::code_after_an_escaped_quote(format!("('\\'', {});", "a + ".repeat(30)), 1)]
    #[case::code_after_a_lifetime(format!("&'a str, {}", "a + ".repeat(30)), 1)]
    #[case::an_escaped_quote_in_a_text(format!("\"\\\"{}\"", "word ".repeat(30)), 1)]
    fn only_what_can_be_broken_counts(#[case] text: String, #[case] wide: usize) {
        assert_eq!(wide_lines(&text).len(), wide);
    }

    #[test]
    fn the_limit_of_columns_itself_is_allowed() {
        assert_eq!(wide_lines(&"a".repeat(110)), []);
        assert_eq!(wide_lines(&"a".repeat(111)), [(1, 111)]);
    }
}
