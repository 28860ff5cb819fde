//! Rows of the tables, as both databases return them. Their queries select the columns.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::{Collection, Created, Error, IdempotencyKey, NewTodo, Priority, Result, Todo};

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

/// A row of `idempotency_keys`, and whether the list of the repeated request still exists.
pub struct StoredKey {
    pub fingerprint: Vec<u8>,
    pub todo_id: i64,
    pub todo_created_at: DateTime<Utc>,
    pub list_exists: bool,
}

impl StoredKey {
    /// The request has the fingerprint of the first, so only what the database added to the todo was stored.
    pub fn replay(self, new: NewTodo, key: &IdempotencyKey) -> Result<Created> {
        if !self.list_exists {
            return Err(Error::ListNotFound);
        }
        if self.fingerprint != key.fingerprint {
            return Err(Error::KeyReused);
        }
        Ok(Created { todo: Todo::created(new, self.todo_id, self.todo_created_at), replayed: true })
    }
}
