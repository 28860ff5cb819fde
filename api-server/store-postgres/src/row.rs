//! A row of `todos` as Postgres gives it.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use todostack_store::{Collection, Priority, Todo};

/// All columns that a [`Todo`] is made of.
#[derive(Debug)]
pub(crate) struct TodoRow {
    pub(crate) id: i64,
    pub(crate) owner: String,
    pub(crate) list_id: Option<i64>,
    pub(crate) title: String,
    pub(crate) completed: bool,
    pub(crate) position: Option<i64>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) tags: Json<Vec<String>>,
    pub(crate) priority: Option<i16>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl From<TodoRow> for Todo {
    fn from(row: TodoRow) -> Self {
        let TodoRow {
            id,
            owner: _,
            list_id: _,
            title,
            completed,
            position,
            due_date,
            tags: Json(tags),
            priority,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            title,
            completed,
            order: position,
            due_date,
            tags,
            priority: priority.and_then(Priority::from_number),
            version,
            created_at,
            updated_at,
        }
    }
}

/// What `coalesce(list_id, 0)` is for a collection; identity columns begin at 1.
pub(crate) fn list_or_zero(collection: &Collection) -> i64 {
    collection.list.unwrap_or(0)
}
