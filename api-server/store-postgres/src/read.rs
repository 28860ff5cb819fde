//! Reading todos by number: what gathered goes out as one query.

use std::collections::HashMap;

use sqlx::{PgConnection, types::Json};
use todostack_store::{Batch, Collection, Error, Result, Todo, TodoId, TodoPlace};

use crate::{connect::LaneConnection, row::TodoRow};

/// One lane of reads.
#[derive(Debug)]
pub(crate) struct ReadLane {
    connection: LaneConnection,
}

impl ReadLane {
    pub(crate) fn new(connection: LaneConnection) -> Self {
        Self { connection }
    }

    async fn fetch(&mut self, ids: &[i64]) -> Result<Vec<TodoRow>> {
        self.connection.run(async |connection| select(connection, ids).await).await
    }
}

impl Batch for ReadLane {
    type Request = TodoPlace;
    type Answer = Todo;

    async fn run(&mut self, requests: Vec<Self::Request>) -> Vec<Result<Todo>> {
        let ids: Vec<i64> = requests.iter().map(|place| place.id).collect();
        let rows = match self.fetch(&ids).await {
            // The connection was lost; reading twice changes nothing.
            Err(Error::Unavailable(_)) => self.fetch(&ids).await,
            other => other,
        };
        match rows {
            Ok(rows) => {
                let found = rows.into_iter().map(Found::from).map(|found| (found.todo.id, found)).collect();
                requests.iter().map(|request| answer(&found, request)).collect()
            }
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

/// A todo and where it is: the batch mixes owners and lists, and [`answer`] tells them apart again.
struct Found {
    collection: Collection,
    todo: Todo,
}

impl From<TodoRow> for Found {
    fn from(mut row: TodoRow) -> Self {
        let owner = std::mem::take(&mut row.owner).into();
        Self { collection: Collection { owner, list: row.list_id }, todo: row.into() }
    }
}

fn answer(found: &HashMap<TodoId, Found>, TodoPlace { collection, id }: &TodoPlace) -> Result<Todo> {
    found
        .get(id)
        .filter(|found| found.collection == *collection)
        .map(|found| found.todo.clone())
        .ok_or(Error::TodoNotFound)
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
