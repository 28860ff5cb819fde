//! A row of the table `todos`, as both databases return it. Their queries select the columns.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{Collection, Priority, Todo};

/// All columns of a todo, by the names that they have in both databases. The database decides the types of
/// tags (`T`) and of small numbers (`N`).
#[derive(Debug)]
#[expect(missing_docs, reason = "the migrations document the columns")]
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
    pub fn into_collection_and_todo(self) -> (Collection, Todo) {
        let Self {
            id,
            owner,
            list_id,
            title,
            completed,
            position,
            due_date,
            mut tags,
            priority,
            version,
            created_at,
            updated_at,
        } = self;
        let todo = Todo {
            id,
            title,
            completed,
            order: position,
            due_date,
            tags: std::mem::take(tags.as_mut()),
            priority: priority.and_then(|number| Priority::from_number(number.try_into().ok()?)),
            version,
            created_at,
            updated_at,
        };
        (Collection { owner: owner.into(), list: list_id }, todo)
    }
}

impl<T: AsMut<Vec<String>>, N: TryInto<i16>> From<TodoRow<T, N>> for Todo {
    fn from(row: TodoRow<T, N>) -> Self {
        row.into_collection_and_todo().1
    }
}
