//! How far an import has come. Lines are parsed by the API.

/// The lines of an import that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportProgress {
    /// Their number.
    pub lines: i64,
    /// A digest of them, by which the same import is recognized when it is repeated.
    pub fingerprint: Vec<u8>,
}

/// A part of an import: its todos are stored together with the progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportStep {
    /// The idempotency key of the import.
    pub key: String,
    /// The progress before this step, which must still be that of the key; `None` before the first.
    pub before: Option<ImportProgress>,
    /// The progress after it.
    pub after: ImportProgress,
}
