//! Quotes of other programs: log lines, messages of the container runtime and of the API server, cut to what
//! explains the cause and stays the same at every attempt. What a quote means is decided by the family of
//! causes.

use serde_json::Value;

/// Longest quote, in characters: a condition's message is read in a terminal.
const LONGEST: usize = 300;

/// The last line of a container's termination message, without its time.
pub(super) fn last_line(message: &str) -> Option<String> {
    let line = message.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let text = from_json(line).unwrap_or_else(|| from_postgres(line).to_owned());
    Some(truncate(&text))
}

/// A message without the IDs of containers and tasks, which differ at every attempt: 12 hexadecimal digits or
/// more.
pub(super) fn without_ids(message: &str) -> String {
    let is_id = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut text = String::with_capacity(message.len());
    for piece in message.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        text.push_str(if is_id(word) { "…" } else { word });
        text.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    text
}

/// The sentence of a rejection by the API server: without the name of the object, which differs at every
/// attempt of a controller, without the values that it prints as Go or JSON, and without the diff that may
/// follow.
pub(crate) fn api_server(message: &str) -> String {
    let sentence = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let cause = [" is forbidden: ", " is invalid: "]
        .iter()
        .find_map(|verdict| sentence.split_once(verdict))
        .map_or(sentence, |(_, cause)| cause);
    truncate(without_values(cause).trim_end_matches(['.', ':', ' ']))
}

/// `Invalid value: core.Spec{…}: must be set` becomes `Invalid value: must be set`. A value that is a plain
/// word, number or quoted text stays.
fn without_values(cause: &str) -> String {
    const VALUE: &str = " value: ";
    let Some((before, rest)) = cause.split_once(VALUE) else { return cause.to_owned() };
    let word = rest.split([' ', '"']).next().unwrap_or_default();
    let after = match word.find(['{', '[', '&']) {
        Some(_) => rest.get(end_of_value(rest)..).unwrap_or_default().trim_start_matches([':', ' ']),
        None => rest,
    };
    format!("{before}{VALUE}{}", if after == rest { rest.to_owned() } else { without_values(after) })
}

/// Where the first bracketed value of `text` ends. A value whose bracket is never closed was truncated by the
/// API server.
fn end_of_value(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (index, char) in text.char_indices() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '{' | '[' if !is_quoted => depth += 1,
            '}' | ']' if !is_quoted => {
                depth = depth.saturating_sub(1);
                // `[]core.Volume{…}` goes on after its first pair.
                let rest = text.get(index + 1..).unwrap_or_default();
                if depth == 0 && !rest.starts_with(|c: char| c.is_alphanumeric()) {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn truncate(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The error of a structured log line, else its message.
fn from_json(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    text("/error")
        .or_else(|| text("/fields/error"))
        .or_else(|| text("/message"))
        .or_else(|| text("/fields/message"))
}

/// The part of `2026-11-21 02:43:07.123 UTC [1] FATAL:  …` after the process ID.
fn from_postgres(line: &str) -> &str {
    match line.split_once("] ") {
        Some((before, after)) if before.contains(" UTC [") => after.trim_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
    fn the_last_line_is_quoted_without_its_time(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(last_line(message).as_deref(), Some(expected));
    }

    #[test]
    fn an_empty_message_has_no_last_line() {
        assert_eq!(last_line("\n \n"), None);
    }

    #[test]
    fn a_message_is_the_same_at_every_attempt() {
        let message = "failed to start containerd task \"66750a1b2c3d4e5f\": cannot start a stopped process";
        assert_eq!(
            without_ids(message),
            "failed to start containerd task \"…\": cannot start a stopped process"
        );
        assert_eq!(without_ids("dead beef: 0/1 nodes"), "dead beef: 0/1 nodes");
    }

    #[rstest]
    #[case::pod("pods \"shop-api-x\" is forbidden: exceeded quota: small", "exceeded quota: small")]
    #[case::diff(
        "PersistentVolume \"v\" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n  core.PersistentVolumeSource{\n- \tNFS: nil,\n+ \tNFS: &core.NFSVolumeSource{},\n  }\n",
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
    )]
    #[case::go(
        "Deployment.apps \"shop-api\" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"}\"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable",
        "spec.selector: Invalid value: field is immutable"
    )]
    #[case::json(
        "Ingress \"shop\" is invalid: spec.rules: Invalid value: [{\"host\":\"a\"}]: must be unique",
        "spec.rules: Invalid value: must be unique"
    )]
    #[case::slice(
        "spec: Invalid value: []core.Volume{core.Volume{Name:\"a\"}}: too many",
        "spec: Invalid value: too many"
    )]
    #[case::plain(
        "Service \"shop\" is invalid: spec.type: Unsupported value: \"X\": supported values: \"ClusterIP\"",
        "spec.type: Unsupported value: \"X\": supported values: \"ClusterIP\""
    )]
    fn a_rejection_is_cut_to_its_sentence(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(api_server(message), expected);
    }

    proptest! {
        #[test]
        fn a_quote_of_any_message_is_one_short_line(message in "(?s).{0,400}") {
            let quotes = [api_server(&message), last_line(&message).unwrap_or_default()];
            for quote in quotes {
                prop_assert!(!quote.contains('\n') && quote.chars().count() <= LONGEST);
            }
        }
    }
}
