//! Todos as JSON: what goes out, what comes in, and the rules between the two. The operations are the files below.

pub(crate) mod clear;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod replace;
pub(crate) mod update;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use todostack_store::{Collection, Invalid, NewTodo, Tags, Title, Todo, TodoPatch};

use crate::{
    error::{ApiError, FieldError},
    links::Links,
};

/// How urgent a todo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Priority {
    Low,
    Medium,
    High,
}

impl From<Priority> for todostack_store::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Medium => Self::Medium,
            Priority::High => Self::High,
        }
    }
}

impl From<todostack_store::Priority> for Priority {
    fn from(priority: todostack_store::Priority) -> Self {
        match priority {
            todostack_store::Priority::Low => Self::Low,
            todostack_store::Priority::Medium => Self::Medium,
            todostack_store::Priority::High => Self::High,
        }
    }
}

/// A todo as clients see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TodoBody {
    id: i64,
    title: String,
    completed: bool,
    order: Option<i64>,
    /// Its own absolute address.
    pub(crate) url: String,
    due_date: Option<NaiveDate>,
    tags: Vec<String>,
    priority: Option<Priority>,
    #[serde(serialize_with = "milliseconds")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "milliseconds")]
    updated_at: DateTime<Utc>,
}

impl TodoBody {
    pub(crate) fn new(todo: Todo, collection: &Collection, links: &Links) -> Self {
        let url = links.todo(collection, todo.id);
        let Todo {
            id,
            title,
            completed,
            order,
            due_date,
            tags,
            priority,
            version: _,
            created_at,
            updated_at,
        } = todo;
        let priority = priority.map(Priority::from);
        Self { id, title, completed, order, url, due_date, tags, priority, created_at, updated_at }
    }
}

/// `2026-11-20T12:00:00.000Z`: always the same length, as JavaScript writes it.
pub(crate) fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A todo to be made or to replace another. Fields that only the service writes (`id`, `url`, …) are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TodoInput {
    title: String,
    completed: Option<bool>,
    order: Option<i64>,
    due_date: Option<NaiveDate>,
    tags: Option<Vec<String>>,
    priority: Option<Priority>,
}

impl TryFrom<TodoInput> for NewTodo {
    type Error = ApiError;

    fn try_from(input: TodoInput) -> Result<Self, ApiError> {
        let TodoInput { title, completed, order, due_date, tags, priority } = input;
        let mut errors = Vec::new();
        let title = checked("/title", Title::new(title), &mut errors);
        let tags = checked("/tags", Tags::new(tags.unwrap_or_default()), &mut errors);
        match (title, tags) {
            (Some(title), Some(tags)) => Ok(Self {
                title,
                completed: completed.unwrap_or(false),
                order,
                due_date,
                tags,
                priority: priority.map(Into::into),
            }),
            _ => Err(ApiError::Invalid(errors)),
        }
    }
}

/// What to change (RFC 7396): what is absent stays, `null` takes away.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a merge patch")]
pub(crate) struct TodoPatchInput {
    #[serde(deserialize_with = "present")]
    title: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    completed: Option<Option<bool>>,
    #[serde(deserialize_with = "present")]
    order: Option<Option<i64>>,
    #[serde(deserialize_with = "present")]
    due_date: Option<Option<NaiveDate>>,
    #[serde(deserialize_with = "present")]
    tags: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "present")]
    priority: Option<Option<Priority>>,
}

/// Tells `null` from absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

impl TryFrom<TodoPatchInput> for TodoPatch {
    type Error = ApiError;

    fn try_from(input: TodoPatchInput) -> Result<Self, ApiError> {
        let TodoPatchInput { title, completed, order, due_date, tags, priority } = input;
        let mut errors = Vec::new();
        let title = title.map(|title| title.ok_or(NULL).and_then(Title::new));
        let title = title.and_then(|title| checked("/title", title, &mut errors));
        let completed = completed.map(|completed| completed.ok_or(NULL));
        let completed = completed.and_then(|completed| checked("/completed", completed, &mut errors));
        let tags = tags.map(|tags| Tags::new(tags.unwrap_or_default()));
        let tags = tags.and_then(|tags| checked("/tags", tags, &mut errors));
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        let priority = priority.map(|priority| priority.map(Into::into));
        Ok(Self { title, completed, order, due_date, tags, priority })
    }
}

const NULL: Invalid = Invalid("must not be null");

/// The value, or its error noted: all errors of a body are told at once.
pub(crate) fn checked<T>(
    pointer: &str,
    value: Result<T, Invalid>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    value
        .map_err(|Invalid(why)| {
            errors.push(FieldError { pointer: pointer.to_owned(), detail: why.to_owned() });
        })
        .ok()
}
