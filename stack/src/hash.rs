//! Short, stable fingerprints for names and annotations; nothing secret is to be fed to them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Eight hexadecimal digits over all parts; the length of each part counts, so that parts cannot run together.
#[must_use]
pub fn short(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut text = String::with_capacity(8);
    for byte in hasher.finalize().iter().take(4) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
