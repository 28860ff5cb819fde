//! The one line of a log that says why: without the time before it, which would change the message at every restart.

use serde_json::Value;

/// Longest excerpt: a condition's message is read in a terminal.
const LONGEST: usize = 300;

/// The last line that says something, of a container's termination message.
pub(super) fn last(message: &str) -> Option<String> {
    let line = message.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let text = from_json(line).unwrap_or_else(|| from_postgres(line).to_owned());
    Some(text.chars().take(LONGEST).collect())
}

/// Words without the identifiers of containers and tasks, which differ at every attempt: 12 hexadecimal digits or more.
pub(super) fn without_ids(words: &str) -> String {
    let is_id = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut text = String::with_capacity(words.len());
    for piece in words.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        text.push_str(if is_id(word) { "…" } else { word });
        text.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    text
}

/// A structured line: what failed stands under `error`, else under `message`.
fn from_json(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    text("/error")
        .or_else(|| text("/fields/error"))
        .or_else(|| text("/message"))
        .or_else(|| text("/fields/message"))
}

/// `2026-11-21 02:43:07.123 UTC [1] FATAL:  …`: what stands after the process number.
fn from_postgres(line: &str) -> &str {
    match line.split_once("] ") {
        Some((before, after)) if before.contains(" UTC [") => after.trim_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("boom\n", "boom")]
    #[case::postgres(
        "x\n2026-11-21 02:43:07.123 UTC [1] FATAL:  could not open file\n",
        "FATAL:  could not open file"
    )]
    #[case::json("{\"timestamp\":\"t\",\"message\":\"Failed\",\"error\":\"login refused\"}", "login refused")]
    #[case::nested("{\"timestamp\":\"t\",\"fields\":{\"message\":\"cannot listen\"}}", "cannot listen")]
    fn the_last_line_is_read_without_its_time(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(last(message).as_deref(), Some(expected));
    }

    #[test]
    fn words_are_the_same_at_every_attempt() {
        let words = "failed to start containerd task \"66750a1b2c3d4e5f\": cannot start a stopped process";
        assert_eq!(
            without_ids(words),
            "failed to start containerd task \"…\": cannot start a stopped process"
        );
        assert_eq!(without_ids("dead beef: 0/1 nodes"), "dead beef: 0/1 nodes");
    }

    #[test]
    fn an_empty_message_says_nothing() {
        assert_eq!(last("\n \n"), None);
    }
}
