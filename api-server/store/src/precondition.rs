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

impl Precondition {
    /// The versions, for SQL; none when there is no condition.
    #[must_use]
    pub fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::None => None,
            Self::AnyOf(versions) => Some(versions),
        }
    }
}
