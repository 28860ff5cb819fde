//! Keys for what is built, made from its sources, so that equal sources are built once. Builds nothing.

use std::path::Path;

use fs_err as fs;
use sha2::{Digest, Sha256};

#[derive(Default)]
pub struct Sources(Sha256);

impl Sources {
    pub fn text(mut self, text: impl AsRef<[u8]>) -> Self {
        // The length keeps "ab" + "c" apart from "a" + "bc".
        self.0.update((text.as_ref().len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds the content of a file, but not its name: the result of a renamed file is the same.
    pub fn file(self, path: &Path) -> std::io::Result<Self> {
        Ok(self.text(fs::read(path)?))
    }

    /// The first 12 hexadecimal digits of the SHA-256 of all that was added.
    pub fn key(self) -> String {
        short_hex(&self.0.finalize())
    }
}

/// The first 12 hexadecimal digits of the SHA-256 of a file: the tag of an image made from it.
pub fn file_digest(path: &Path) -> std::io::Result<String> {
    Ok(short_hex(&Sha256::digest(fs::read(path)?)))
}

fn short_hex(digest: &[u8]) -> String {
    digest.iter().take(6).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_file_is_its_sha256() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(file_digest(file.path()).unwrap(), "ba7816bf8f01");
    }

    #[test]
    fn sources_that_only_look_alike_when_joined_have_different_keys() {
        let split = |a, b| Sources::default().text(a).text(b).key();
        assert_ne!(split("ab", "c"), split("a", "bc"));
    }

    #[test]
    fn a_renamed_file_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::write(&one, "same").unwrap();
        std::fs::write(&two, "same").unwrap();
        let key = |path: &Path| Sources::default().file(path).unwrap().key();
        assert_eq!(key(&one), key(&two));
    }
}
