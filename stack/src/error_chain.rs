//! The messages of an error and its sources. How they are shown is the caller's.

use std::error::Error;

/// The messages of `error` and of its sources, without those that a message before them contains: libraries
/// differ in whether an error's message contains its source's.
pub fn messages(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !messages.iter().any(|earlier| earlier.contains(&message)) {
            messages.push(message);
        }
        source = error.source();
    }
    messages
}

/// The messages of `error` and of its sources on one line, for logs.
pub fn one_line(error: &dyn Error) -> String {
    messages(error).join(": ")
}
