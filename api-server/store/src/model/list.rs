//! Named lists of todos. The default list, which has no name and no row, is not among them.

use chrono::{DateTime, Utc};

use crate::model::todo::{Invalid, checked_text};

/// The number of a list: from 1, never reused.
pub type ListId = i64;

/// A name: 1 to 200 characters, not only whitespace, no NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListName(String);

impl ListName {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 200;

    /// Fails when the text is empty, too long, or has a NUL.
    pub fn new(text: String) -> Result<Self, Invalid> {
        checked_text(text, Self::MAX_CHARS, Invalid::too_long).map(Self)
    }

    /// The name as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A list to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewList {
    /// Need not be unique.
    pub name: ListName,
}

/// A list as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Unique over all owners.
    pub id: ListId,
    /// Need not be unique.
    pub name: String,
    /// By the clock of the database.
    pub created_at: DateTime<Utc>,
}
