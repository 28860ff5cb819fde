//! Short, stable hashes for names and annotations. They are public: nothing secret may be hashed.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Eight hexadecimal digits over all parts and the length of each, so that `a, bc` and `ab, c` differ.
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
