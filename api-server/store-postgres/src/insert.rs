//! Creating todos: one insert per batch of requests. Batches are collected by `todostack_store::sql`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};
use todostack_store::{Collection, DueDate, Error, NewTodo, Priority, Result, Todo, sql::Batch};

use crate::SharedConnection;

pub(crate) struct InsertBatch(pub(crate) SharedConnection);

type Request = (Collection, NewTodo);

impl Batch for InsertBatch {
    type Request = Request;
    type Output = Todo;

    async fn run(&mut self, requests: Vec<Request>) -> Vec<Result<Todo>> {
        let mut connection = self.0.lock().await;
        match connection.run(async |c| Ok(insert(c, &requests).await?)).await {
            Ok(mut rows) if rows.len() == requests.len() => {
                // `order by place` numbers the rows in the order of the requests; `returning` has no order.
                rows.sort_unstable_by_key(|row| row.id);
                requests
                    .into_iter()
                    .zip(rows)
                    .map(|((_, new), row)| Ok(Todo::created(new, row.id, row.created_at)))
                    .collect()
            }
            Ok(_) => requests.iter().map(|_| Err(row_count_mismatch())).collect(),
            // One statement each, so that only the invalid row fails: that of the batch was rolled back.
            Err(Error::Internal(_) | Error::ListNotFound) => {
                let mut results = Vec::with_capacity(requests.len());
                for request in requests {
                    results.push(connection.run(async |c| insert_one(c, request).await).await);
                }
                results
            }
            // The rows may have been stored, or not.
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

fn row_count_mismatch() -> Error {
    Error::unavailable("an insert returned another number of rows than it was given")
}

/// The columns that the database adds to a new todo.
pub(crate) struct Inserted {
    id: i64,
    created_at: DateTime<Utc>,
}

/// Without `..`: a new field that gets no column below does not compile.
fn title(new: &NewTodo) -> &str {
    let NewTodo { title, completed: _, order: _, due_date: _, tags: _, priority: _ } = new;
    title.as_str()
}

/// Lists are numbered from 1, so 0 in place of another owner's list violates the foreign key: the row fails
/// with [`Error::ListNotFound`], as for a list that does not exist.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    requests: &[Request],
) -> sqlx::Result<Vec<Inserted>> {
    let owner: Vec<_> = requests.iter().map(|(collection, _)| &*collection.owner).collect();
    let list_id: Vec<_> = requests.iter().map(|(collection, _)| collection.list).collect();
    let title: Vec<_> = requests.iter().map(|(_, new)| title(new)).collect();
    let completed: Vec<_> = requests.iter().map(|(_, new)| new.completed).collect();
    let position: Vec<_> = requests.iter().map(|(_, new)| new.order).collect();
    let due_date: Vec<_> = requests.iter().map(|(_, new)| new.due_date.map(DueDate::day)).collect();
    let tags: Vec<_> = requests.iter().map(|(_, new)| Json(new.tags.as_slice())).collect();
    let priority: Vec<_> = requests.iter().map(|(_, new)| new.priority.map(Priority::number)).collect();
    sqlx::query_as!(
        Inserted,
        r#"
        insert into todos (owner, list_id, title, completed, position, due_date, tags, priority)
        select owner,
               case when list_id is not null then
                   coalesce((select id from lists where id = new.list_id and owner = new.owner), 0)
               end,
               title, completed, position, due_date, tags, priority
        from unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[], $5::bigint[], $6::date[],
                    $7::jsonb[], $8::smallint[])
             with ordinality as new
                 (owner, list_id, title, completed, position, due_date, tags, priority, place)
        order by place
        returning id, created_at
        "#,
        owner as _,
        list_id as _,
        title as _,
        &completed,
        position as _,
        due_date as _,
        tags as _,
        priority as _
    )
    .fetch_all(connection)
    .await
}

/// Inserts one todo in the caller's transaction.
pub(crate) async fn insert_one(connection: &mut PgConnection, request: Request) -> Result<Todo> {
    let row =
        insert(connection, std::slice::from_ref(&request)).await?.pop().ok_or_else(row_count_mismatch)?;
    Ok(Todo::created(request.1, row.id, row.created_at))
}
