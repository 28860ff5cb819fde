//! An error with its causes on one line, for logs.

use std::error::Error as StdError;

/// An error with all its sources, once, for a log line.
#[must_use]
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        // Libraries differ in whether an error says its source itself.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = error.source();
    }
    text
}
