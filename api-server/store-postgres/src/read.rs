//! Reading todos by number: one query per batch of requests. Pages are in `page`.

use std::collections::HashMap;

use sqlx::{PgConnection, types::Json};
use todostack_store::{Collection, Error, Result, Todo, TodoId, TodoPlace, sql::Batch};

use crate::{SharedConnection, TodoRow};

pub(crate) struct ReadBatch(pub(crate) SharedConnection);

impl Batch for ReadBatch {
    type Request = TodoPlace;
    type Output = Todo;

    async fn run(&mut self, requests: Vec<Self::Request>) -> Vec<Result<Todo>> {
        let mut connection = self.0.lock().await;
        let ids: Vec<i64> = requests.iter().map(|place| place.id).collect();
        let rows = match connection.run(async |c| Ok(select(c, &ids).await?)).await {
            // The connection was lost; a read can be repeated.
            Err(Error::Unavailable(_)) => connection.run(async |c| Ok(select(c, &ids).await?)).await,
            other => other,
        };
        match rows {
            Ok(rows) => {
                let found: HashMap<TodoId, (Collection, Todo)> =
                    rows.into_iter().map(|row| (row.id, row.into_collection_and_todo())).collect();
                // The query of a batch ignores owners and lists, so they are compared here.
                let find = |TodoPlace { collection, id }: &TodoPlace| match found.get(id) {
                    Some((place, todo)) if place == collection => Ok(todo.clone()),
                    _ => Err(Error::TodoNotFound),
                };
                requests.iter().map(find).collect()
            }
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
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
