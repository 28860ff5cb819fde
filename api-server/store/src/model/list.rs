//! Lists of todos, beside the default one, which has no row and no name.

use chrono::{DateTime, Utc};

use crate::model::todo::{Invalid, text_of};

/// The number of a list, never used again.
pub type ListId = i64;

/// A name: 1 to 200 characters, not only white space, no NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListName(String);

impl ListName {
    /// The greatest number of characters.
    pub const MAX_CHARS: usize = 200;

    /// Takes a text that is a name.
    pub fn new(text: String) -> Result<Self, Invalid> {
        text_of(text, Self::MAX_CHARS, "must have at most 200 characters").map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A list to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewList {
    /// What people call it; need not be unique.
    pub name: ListName,
}

/// A list as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its number.
    pub id: ListId,
    /// What people call it.
    pub name: String,
    /// When it was made, by the database's clock.
    pub created_at: DateTime<Utc>,
}
