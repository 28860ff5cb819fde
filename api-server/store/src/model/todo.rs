//! Todos and their fields; a value of these types is valid. Their JSON is defined by the API.

use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

/// The number of a todo: from 1, unique over all collections, never reused.
pub type TodoId = i64;

/// The subject of a token, or the empty string when authentication is disabled.
pub type Owner = Arc<str>;

/// The default list or a named list of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Only this owner can reach the todos.
    pub owner: Owner,
    /// `None` for the default list.
    pub list: Option<i64>,
}

/// A todo of a collection. A number alone could be of another owner's todo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoPlace {
    /// The collection that the todo must be in.
    pub collection: Collection,
    /// The number of the todo.
    pub id: TodoId,
}

/// Why a value is invalid, as a sentence without its subject: "must not be empty".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub Cow<'static, str>);

impl Invalid {
    pub(crate) fn too_long(max_chars: usize) -> Self {
        Self(format!("must have at most {max_chars} characters").into())
    }
}

/// A title: 1 to 1,000 characters, not only whitespace, and no NUL, which Postgres cannot store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 1_000;

    /// Fails when the text is empty, too long, or has a NUL.
    pub fn new(text: String) -> std::result::Result<Self, Invalid> {
        checked_text(text, Self::MAX_CHARS, Invalid::too_long).map(Self)
    }

    /// The title as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title as the client sent it.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The rules that titles, names and tags have in common.
pub(crate) fn checked_text(
    text: String,
    max_chars: usize,
    too_long: impl FnOnce(usize) -> Invalid,
) -> std::result::Result<String, Invalid> {
    if text.trim().is_empty() {
        Err(Invalid("must not be empty".into()))
    } else if text.contains('\0') {
        Err(Invalid("must not contain the character U+0000".into()))
    } else if text.len() > max_chars && text.chars().count() > max_chars {
        Err(too_long(max_chars))
    } else {
        Ok(text)
    }
}

/// A day of the years 1 to 9999: the dates of RFC 3339, without the year 0, which Postgres writes as 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDate(NaiveDate);

impl DueDate {
    /// Fails when the text is not `YYYY-MM-DD`, or there is no such day.
    pub fn new(text: &str) -> std::result::Result<Self, Invalid> {
        let is_digit = |(place, byte): (usize, u8)| matches!(place, 4 | 7) != byte.is_ascii_digit();
        // chrono accepts signs, spaces and single digits too.
        let is_plain = text.len() == 10 && text.bytes().enumerate().all(is_digit);
        let day = is_plain.then(|| text.parse().ok()).flatten();
        let invalid = || Invalid("must be a day of the years 0001 to 9999, such as 2026-11-20".into());
        day.filter(|day: &NaiveDate| day.year() > 0).map(Self).ok_or_else(invalid)
    }

    /// The day, in no time zone.
    pub fn day(self) -> NaiveDate {
        self.0
    }
}

/// At most 20 different tags of 1 to 50 characters, in the client's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

impl Tags {
    /// The maximum number of tags.
    pub const MAX: usize = 20;
    /// The maximum length of one tag in characters.
    pub const MAX_CHARS: usize = 50;

    /// Fails when there are too many tags, or one is invalid or repeated.
    pub fn new(tags: Vec<String>) -> std::result::Result<Self, Invalid> {
        if tags.len() > Self::MAX {
            return Err(Invalid(format!("must have at most {} tags", Self::MAX).into()));
        }
        let mut seen = Vec::with_capacity(tags.len());
        for tag in tags {
            let tag = checked_text(tag, Self::MAX_CHARS, |max_chars| {
                Invalid(format!("must have tags of at most {max_chars} characters").into())
            })?;
            if seen.contains(&tag) {
                return Err(Invalid("must not have the same tag twice".into()));
            }
            seen.push(tag);
        }
        Ok(Self(seen))
    }

    /// In the client's order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// In the client's order.
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    Low = 1,
    Medium = 2,
    High = 3,
}

/// A todo as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// Unique over all collections.
    pub id: TodoId,
    /// Valid as a [`Title`].
    pub title: String,
    /// Whether the todo is done.
    pub completed: bool,
    /// A position that the client chooses; the store only sorts by it.
    pub order: Option<i64>,
    /// The due date, in no time zone.
    pub due_date: Option<NaiveDate>,
    /// Valid as [`Tags`].
    pub tags: Vec<String>,
    /// `None` when the client has set none.
    pub priority: Option<Priority>,
    /// From 1, incremented by every change; the ETag.
    pub version: i64,
    /// The time of creation, by the clock of the database.
    pub created_at: DateTime<Utc>,
    /// The time of the last change, by the clock of the database.
    pub updated_at: DateTime<Utc>,
}

impl Todo {
    /// A new todo after it was stored, with the number and the time that the database gave it.
    pub fn created(new: NewTodo, id: TodoId, created_at: DateTime<Utc>) -> Self {
        let NewTodo { title, completed, order, due_date, tags, priority } = new;
        Self {
            id,
            title: title.into_string(),
            completed,
            order,
            due_date: due_date.map(DueDate::day),
            tags: tags.into_vec(),
            priority,
            version: 1,
            created_at,
            updated_at: created_at,
        }
    }
}

/// A todo to be created, or the replacement of one. [`Todo`] documents the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTodo {
    pub title: Title,
    pub completed: bool,
    pub order: Option<i64>,
    pub due_date: Option<DueDate>,
    pub tags: Tags,
    pub priority: Option<Priority>,
}

/// Changes of a todo: `None` keeps a value, `Some(None)` removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TodoPatch {
    pub title: Option<Title>,
    pub completed: Option<bool>,
    pub order: Option<Option<i64>>,
    pub due_date: Option<Option<DueDate>>,
    pub tags: Option<Tags>,
    pub priority: Option<Option<Priority>>,
}

impl From<NewTodo> for TodoPatch {
    fn from(new: NewTodo) -> Self {
        let NewTodo { title, completed, order, due_date, tags, priority } = new;
        Self {
            title: Some(title),
            completed: Some(completed),
            order: Some(order),
            due_date: Some(due_date),
            tags: Some(tags),
            priority: Some(priority),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::empty("", "must not be empty")]
    #[case::blank(" \n", "must not be empty")]
    #[case::nul("a\0b", "must not contain the character U+0000")]
    #[case::long(&"é".repeat(1_001), "must have at most 1000 characters")]
    fn an_invalid_title_is_rejected(#[case] text: &str, #[case] why: &'static str) {
        assert_eq!(Title::new(text.to_owned()), Err(Invalid(why.into())));
    }

    #[rstest]
    #[case::first("0001-01-01", true)]
    #[case::last("9999-12-31", true)]
    #[case::leap_day("2028-02-29", true)]
    #[case::no_leap_day("2026-02-29", false)]
    #[case::year_zero("0000-01-01", false)]
    #[case::before("-001-01-01", false)]
    #[case::sign("+999-01-01", false)]
    #[case::after("10000-01-01", false)]
    #[case::short("2026-1-1", false)]
    #[case::space("2026-11- 1", false)]
    #[case::slashes("2026/11/01", false)]
    #[case::time("2026-11-01T00:00:00Z", false)]
    #[case::empty("", false)]
    fn a_due_date_is_one_that_both_databases_keep(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(DueDate::new(text).is_ok(), valid);
    }

    #[test]
    fn the_length_of_a_title_is_in_characters_not_bytes() {
        assert!(Title::new("é".repeat(1_000)).is_ok());
    }

    #[test]
    fn a_repeated_tag_is_rejected() {
        let twice = Tags::new(vec!["home".to_owned(), "home".to_owned()]);
        assert_eq!(twice, Err(Invalid("must not have the same tag twice".into())));
    }
}
