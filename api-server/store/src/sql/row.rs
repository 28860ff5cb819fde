//! Rows of the tables, as both databases return them. Their queries select the columns.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::{Collection, List, Priority, Todo};

/// All columns of a todo, which the migrations document. The database decides the types of tags (`T`) and of
/// small numbers (`N`).
#[derive(Deserialize)]
pub struct TodoRow<T, N> {
    pub id: i64,
    pub owner: String,
    pub list_id: Option<i64>,
    pub title: String,
    pub completed: bool,
    pub position: Option<i64>,
    pub due_date: Option<NaiveDate>,
    pub tags: T,
    pub priority: Option<N>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl<T: AsMut<Vec<String>>, N: TryInto<i16>> TodoRow<T, N> {
    /// The todo and its collection.
    pub fn into_collection_and_todo(mut self) -> (Collection, Todo) {
        let todo = Todo {
            id: self.id,
            title: self.title,
            completed: self.completed,
            order: self.position,
            due_date: self.due_date,
            tags: std::mem::take(self.tags.as_mut()),
            priority: self.priority.and_then(|number| Priority::from_number(number.try_into().ok()?)),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        (Collection { owner: self.owner.into(), list: self.list_id }, todo)
    }
}

impl<T: AsMut<Vec<String>>, N: TryInto<i16>> From<TodoRow<T, N>> for Todo {
    fn from(row: TodoRow<T, N>) -> Self {
        row.into_collection_and_todo().1
    }
}

/// All columns of a list, which the migrations document.
#[derive(Deserialize)]
pub struct ListRow {
    pub id: i64,
    pub name: String,
    #[serde(default)]
    pub position: Option<i64>,
    /// The log of changes may have rows of an earlier schema without it.
    #[serde(default = "first_version")]
    pub version: i64,
    pub created_at: DateTime<Utc>,
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
}

fn first_version() -> i64 {
    1
}

impl From<ListRow> for List {
    fn from(row: ListRow) -> Self {
        let ListRow { id, name, position, version, created_at, updated_at } = row;
        Self { id, name, order: position, version, created_at, updated_at: updated_at.unwrap_or(created_at) }
    }
}
