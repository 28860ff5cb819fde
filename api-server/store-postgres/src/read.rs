//! Reading todos by number: one query per batch of requests. Pages are in `page`.

use std::collections::HashMap;

use sqlx::{PgConnection, types::Json};
use todostack_store::{Collection, Error, Result, Todo, TodoId, TodoPlace, sql::Batch};

use crate::{TodoRow, connect::ReconnectingConnection, errors::store_error};

#[derive(Debug)]
pub(crate) struct ReadBatch {
    connection: ReconnectingConnection,
}

impl ReadBatch {
    pub(crate) fn new(connection: ReconnectingConnection) -> Self {
        Self { connection }
    }

    async fn fetch(&mut self, ids: &[i64]) -> Result<Vec<TodoRow>> {
        self.connection.run(async |connection| select(connection, ids).await.map_err(store_error)).await
    }
}

impl Batch for ReadBatch {
    type Request = TodoPlace;
    type Output = Todo;

    async fn run(&mut self, requests: Vec<Self::Request>) -> Vec<Result<Todo>> {
        let ids: Vec<i64> = requests.iter().map(|place| place.id).collect();
        let rows = match self.fetch(&ids).await {
            // The connection was lost; a read can be repeated.
            Err(Error::Unavailable(_)) => self.fetch(&ids).await,
            other => other,
        };
        match rows {
            Ok(rows) => {
                let found = rows.into_iter().map(|row| (row.id, row.into_collection_and_todo())).collect();
                requests.iter().map(|request| find(&found, request)).collect()
            }
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

/// The query of a batch ignores owners and lists, so they are compared here.
fn find(
    found: &HashMap<TodoId, (Collection, Todo)>,
    TodoPlace { collection, id }: &TodoPlace,
) -> Result<Todo> {
    match found.get(id) {
        Some((place, todo)) if place == collection => Ok(todo.clone()),
        _ => Err(Error::TodoNotFound),
    }
}

async fn select(connection: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<TodoRow>> {
    sqlx::query_as!(
        TodoRow,
        r#"
        select id, owner, list_id, title, completed, position, due_date, tags as "tags: Json<Vec<String>>",
               priority, version, created_at, updated_at
        from todos
        where id = any($1)
        "#,
        ids
    )
    .fetch_all(connection)
    .await
}
