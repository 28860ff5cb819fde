//! The JSON of todos, in responses and requests. The operations are the files below; which values are valid
//! is in the store.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod delete_all;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod replace;
mod stream;
pub(crate) mod update;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use http::header;
use serde::{Deserialize, Serialize};
use todostack_store::{DueDate, ListId, NewTodo, Tags, Title, Todo, TodoPatch};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    etag,
    fields::{self, NULL, checked, in_range},
    links::Links,
    schemas,
};

/// The urgency of a todo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// A todo.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Todo)]
pub(crate) struct TodoBody {
    /// The number of the todo; follow `url` rather than build addresses from it.
    id: i64,
    /// The text of the todo.
    title: String,
    /// Whether the todo is done.
    completed: bool,
    /// The position among other todos, as the client chooses.
    #[schema(required = true)]
    order: Option<i64>,
    /// The absolute URL of the todo.
    #[schema(format = "uri")]
    pub(crate) url: String,
    #[schema(required = true, schema_with = schemas::due_date)]
    due_date: Option<NaiveDate>,
    #[schema(schema_with = schemas::tags)]
    tags: Vec<String>,
    /// The urgency of the todo.
    #[schema(required = true)]
    priority: Option<Priority>,
    /// When the todo was created.
    #[serde(serialize_with = "fields::milliseconds")]
    created_at: DateTime<Utc>,
    /// When the todo was last changed.
    #[serde(serialize_with = "fields::milliseconds")]
    updated_at: DateTime<Utc>,
}

impl TodoBody {
    pub(crate) fn new(todo: Todo, list: Option<ListId>, links: &Links) -> Self {
        let url = links.todo(list, todo.id);
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

pub(crate) fn todo_response(todo: Todo, list: Option<ListId>, links: &Links) -> Response {
    let etag = [(header::ETAG, etag::for_todo(&todo))];
    (etag, Json(TodoBody::new(todo, list, links))).into_response()
}

/// A todo to be created, or to replace another. Fields that only the service writes (`id`, `url`, …) are
/// ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewTodo)]
pub(crate) struct TodoInput {
    #[schema(schema_with = schemas::title)]
    title: String,
    /// Whether the todo is done; by default `false`.
    completed: Option<bool>,
    #[schema(schema_with = schemas::order)]
    #[serde(default, deserialize_with = "fields::integer")]
    order: Option<i64>,
    #[schema(schema_with = schemas::due_date)]
    due_date: Option<String>,
    #[schema(schema_with = schemas::new_tags)]
    tags: Option<Vec<String>>,
    /// The urgency of the todo.
    priority: Option<Priority>,
}

impl TryFrom<TodoInput> for NewTodo {
    type Error = ApiError;

    fn try_from(input: TodoInput) -> Result<Self, ApiError> {
        let TodoInput { title, completed, order, due_date, tags, priority } = input;
        let mut errors = Vec::new();
        let title = checked("/title", Title::new(title), &mut errors);
        let tags = checked("/tags", Tags::new(tags.unwrap_or_default()), &mut errors);
        let order = checked("/order", order.map(in_range).transpose(), &mut errors);
        let due_date = due_date.as_deref().map(DueDate::new).transpose();
        match (title, tags, order, checked("/dueDate", due_date, &mut errors)) {
            (Some(title), Some(tags), Some(order), Some(due_date)) => Ok(Self {
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

/// A merge patch (RFC 7396): absent fields stay, `null` removes a value.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TodoPatch)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a merge patch")]
pub(crate) struct TodoPatchInput {
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(required = false, schema_with = schemas::title)]
    title: Option<Option<String>>,
    /// Whether the todo is done.
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(value_type = bool, required = false)]
    completed: Option<Option<bool>>,
    #[serde(default, deserialize_with = "fields::present_integer")]
    #[schema(schema_with = schemas::order)]
    order: Option<Option<i64>>,
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(schema_with = schemas::due_date)]
    due_date: Option<Option<String>>,
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(schema_with = schemas::replaced_tags)]
    tags: Option<Option<Vec<String>>>,
    /// The urgency of the todo.
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(value_type = Option<Priority>)]
    priority: Option<Option<Priority>>,
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
        // `null` removes all tags; a title or a state cannot be removed.
        let tags = tags.map(|tags| Tags::new(tags.unwrap_or_default()));
        let tags = tags.and_then(|tags| checked("/tags", tags, &mut errors));
        let order = order.map(|order| order.map(in_range).transpose());
        let order = order.and_then(|order| checked("/order", order, &mut errors));
        let due_date = due_date.map(|date| date.as_deref().map(DueDate::new).transpose());
        let due_date = due_date.and_then(|date| checked("/dueDate", date, &mut errors));
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        let priority = priority.map(|priority| priority.map(Into::into));
        Ok(Self { title, completed, order, due_date, tags, priority })
    }
}
