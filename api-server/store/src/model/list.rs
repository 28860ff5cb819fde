//! Named lists of todos. The default list, which has no name and no row, is not among them.

use chrono::{DateTime, Utc};

use crate::model::todo::{Invalid, Owner, checked_text};

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

    /// The name as the client sent it.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A list of one owner. A number alone could be of another owner's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlace {
    /// The owner that the list must have.
    pub owner: Owner,
    /// The number of the list.
    pub id: ListId,
}

/// A list to be created. [`List`] documents the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewList {
    pub name: ListName,
    pub order: Option<i64>,
}

/// Changes of a list: `None` keeps a value, `Some(None)` removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPatch {
    pub name: Option<ListName>,
    pub order: Option<Option<i64>>,
}

/// A list as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Unique over all owners.
    pub id: ListId,
    /// Need not be unique.
    pub name: String,
    /// A position that the client chooses; the store only sorts by it.
    pub order: Option<i64>,
    /// From 1, incremented by every change; the ETag.
    pub version: i64,
    /// The time of creation, by the clock of the database.
    pub created_at: DateTime<Utc>,
    /// The time of the last change, by the clock of the database.
    pub updated_at: DateTime<Utc>,
}

impl List {
    /// A new list after it was stored, with the number and the time that the database gave it.
    pub fn created(new: NewList, id: ListId, created_at: DateTime<Utc>) -> Self {
        let NewList { name, order } = new;
        Self { id, name: name.into_string(), order, version: 1, created_at, updated_at: created_at }
    }
}
