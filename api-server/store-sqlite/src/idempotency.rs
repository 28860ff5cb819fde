//! POSTs with an `Idempotency-Key`: the key and the todo are one transaction. With a single writer none is ever in flight
//! beside another: a repetition waits its turn and then finds the answer.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use todostack_store::{Collection, Created, Error, IdempotencyKey, NewTodo, Result, Todo};

use crate::{errors::store_error, write};

struct Answered {
    fingerprint: Vec<u8>,
    todo_id: i64,
    todo_created_at: DateTime<Utc>,
    list_exists: bool,
}

pub(crate) async fn create_once(
    connection: &mut SqliteConnection,
    collection: &Collection,
    new: NewTodo,
    key: IdempotencyKey,
) -> Result<Created> {
    match find(connection, collection, &key.key).await.map_err(store_error)? {
        Some(answered) if !answered.list_exists => Err(Error::ListNotFound),
        Some(answered) if answered.fingerprint != key.fingerprint => Err(Error::KeyReused),
        Some(answered) => {
            let Answered { fingerprint: _, todo_id, todo_created_at, list_exists: _ } = answered;
            Ok(Created { todo: Todo::created(new, todo_id, todo_created_at), replayed: true })
        }
        None => {
            let todo = write::insert(connection, collection, new).await?;
            remember(connection, &collection.owner, &key, &todo).await.map_err(store_error)?;
            Ok(Created { todo, replayed: false })
        }
    }
}

async fn find(
    connection: &mut SqliteConnection,
    collection: &Collection,
    key: &str,
) -> sqlx::Result<Option<Answered>> {
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    sqlx::query_as!(
        Answered,
        r#"
        select fingerprint, todo_id, todo_created_at as "todo_created_at: DateTime<Utc>",
               (?3 = 0 or exists (select 1 from lists where id = ?3 and owner = ?1)) as "list_exists!: bool"
        from idempotency_keys
        where owner = ?1 and key = ?2 and expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
        "#,
        owner,
        key,
        list
    )
    .fetch_optional(connection)
    .await
}

async fn remember(
    connection: &mut SqliteConnection,
    owner: &str,
    key: &IdempotencyKey,
    todo: &Todo,
) -> sqlx::Result<()> {
    let IdempotencyKey { key, fingerprint } = key;
    sqlx::query!(
        "insert or replace into idempotency_keys (owner, key, fingerprint, todo_id, todo_created_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 day'))",
        owner,
        key,
        fingerprint,
        todo.id,
        todo.created_at
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn forget_expired(connection: &mut SqliteConnection) -> Result<u64> {
    sqlx::query!("delete from idempotency_keys where expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(store_error)
}
