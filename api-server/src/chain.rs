//! An error with its causes on one line, for logs and messages. By hand, since display-error-chain puts each
//! cause on a line of its own and repeats those that a library includes itself.

/// The error with its causes, without those that its text ends with.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
