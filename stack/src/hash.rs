//! Short, stable hashes for names and annotations. `short` is public: nothing secret may be
//! hashed by it.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Eight hexadecimal digits over all parts and the length of each, so that `a, bc` and `ab, c` differ.
pub fn short(parts: &[&str]) -> String {
    let [a, b, c, d, ..] = digest(parts);
    hexadecimal(&[a, b, c, d])
}

/// The same with 64 digits. For values that stay inside a Secret.
pub fn long(parts: &[&str]) -> String {
    hexadecimal(&digest(parts))
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
