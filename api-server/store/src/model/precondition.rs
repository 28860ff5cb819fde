//! `If-Match`, as the versions of a todo or list. ETags are parsed by the API.

/// What must be true of a todo or list for a change to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// The change happens in any version.
    #[default]
    None,
    /// The change happens only in one of these versions.
    AnyOf(Vec<i64>),
}
