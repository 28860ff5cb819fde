//! `If-Match` as a store understands it.

/// What must be true of a todo before it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// It is in one of these versions.
    AnyOf(Vec<i64>),
}
