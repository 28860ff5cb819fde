//! Todos and the values in them; a value of these types is valid. How they look in JSON is the API's business.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

/// The number of a todo, unique over all collections and never used again.
pub type TodoId = i64;

/// Whose todos: the subject of a token, or the empty text when authentication is off.
pub type Owner = Arc<str>;

/// Where todos are: the default list (`list: None`) or a named list of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Whose.
    pub owner: Owner,
    /// Which of the owner's lists; none is the default list.
    pub list: Option<i64>,
}

/// One todo: its number is not enough, since nobody may reach another's todo or list by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoPlace {
    /// Where.
    pub collection: Collection,
    /// Which.
    pub id: TodoId,
}

/// Why a value was refused, as a sentence without its subject: "must not be empty".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// A title: 1 to 1,000 characters, not only white space, and no NUL, which Postgres cannot store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// The greatest number of characters.
    pub const MAX_CHARS: usize = 1_000;

    /// Takes a text that is a title.
    pub fn new(text: String) -> std::result::Result<Self, Invalid> {
        text_of(text, Self::MAX_CHARS, "must have at most 1000 characters").map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// What titles, names and tags have in common.
pub(crate) fn text_of(
    text: String,
    max_chars: usize,
    too_long: &'static str,
) -> std::result::Result<String, Invalid> {
    if text.trim().is_empty() {
        Err(Invalid("must not be empty"))
    } else if text.contains('\0') {
        Err(Invalid("must not contain the character U+0000"))
    } else if text.len() > max_chars && text.chars().count() > max_chars {
        Err(Invalid(too_long))
    } else {
        Ok(text)
    }
}

/// At most 20 different tags of 1 to 50 characters, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

impl Tags {
    /// The greatest number of tags.
    pub const MAX: usize = 20;
    /// The greatest number of characters in one tag.
    pub const MAX_CHARS: usize = 50;

    /// Takes tags that are in order.
    pub fn new(tags: Vec<String>) -> std::result::Result<Self, Invalid> {
        if tags.len() > Self::MAX {
            return Err(Invalid("must have at most 20 tags"));
        }
        let mut seen = Vec::with_capacity(tags.len());
        for tag in tags {
            let tag = text_of(tag, Self::MAX_CHARS, "must have tags of at most 50 characters")?;
            if seen.contains(&tag) {
                return Err(Invalid("must not have the same tag twice"));
            }
            seen.push(tag);
        }
        Ok(Self(seen))
    }

    /// The tags.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The tags, taken out.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// How urgent a todo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Priority {
    Low,
    Medium,
    High,
}

/// A todo as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// Its number.
    pub id: TodoId,
    /// What is to be done.
    pub title: String,
    /// Whether it has been done.
    pub completed: bool,
    /// Its place among others, as the client likes; the store gives it no meaning beyond sorting.
    pub order: Option<i64>,
    /// The day it is due.
    pub due_date: Option<NaiveDate>,
    /// Free words.
    pub tags: Vec<String>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Grows with every change; the ETag.
    pub version: i64,
    /// When it was made, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, by the database's clock.
    pub updated_at: DateTime<Utc>,
}

impl Todo {
    /// A new todo as it is once stored; the number and the time are the database's.
    #[must_use]
    pub fn created(new: NewTodo, id: TodoId, created_at: DateTime<Utc>) -> Self {
        let NewTodo { title, completed, order, due_date, tags, priority } = new;
        Self {
            id,
            title: title.into_string(),
            completed,
            order,
            due_date,
            tags: tags.into_vec(),
            priority,
            version: 1,
            created_at,
            updated_at: created_at,
        }
    }
}

/// A todo to be made, or all of one that is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTodo {
    /// See [`Todo::title`].
    pub title: Title,
    /// See [`Todo::completed`].
    pub completed: bool,
    /// See [`Todo::order`].
    pub order: Option<i64>,
    /// See [`Todo::due_date`].
    pub due_date: Option<NaiveDate>,
    /// See [`Todo::tags`].
    pub tags: Tags,
    /// See [`Todo::priority`].
    pub priority: Option<Priority>,
}

/// What to change: none leaves a value, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TodoPatch {
    /// See [`Todo::title`].
    pub title: Option<Title>,
    /// See [`Todo::completed`].
    pub completed: Option<bool>,
    /// See [`Todo::order`].
    pub order: Option<Option<i64>>,
    /// See [`Todo::due_date`].
    pub due_date: Option<Option<NaiveDate>>,
    /// See [`Todo::tags`].
    pub tags: Option<Tags>,
    /// See [`Todo::priority`].
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
    fn a_text_that_is_no_title_is_refused(#[case] text: &str, #[case] why: &'static str) {
        assert_eq!(Title::new(text.to_owned()), Err(Invalid(why)));
    }

    #[test]
    fn a_title_is_measured_in_characters_not_bytes() {
        assert!(Title::new("é".repeat(1_000)).is_ok());
    }

    #[test]
    fn a_tag_may_not_come_twice() {
        let twice = Tags::new(vec!["home".to_owned(), "home".to_owned()]);
        assert_eq!(twice, Err(Invalid("must not have the same tag twice")));
    }
}
