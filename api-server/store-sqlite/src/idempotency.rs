//! POSTs with an `Idempotency-Key`: the key and the todo are stored in one transaction. With a single writer
//! no key is in flight while another is processed: a repeated request waits, and then finds the stored key.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use todostack_store::{Collection, Created, Error, IdempotencyKey, NewTodo, Result, Todo};

use crate::{errors::store_error, write};

struct StoredKey {
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
    match find_key(connection, collection, &key.key).await.map_err(store_error)? {
        Some(stored) if !stored.list_exists => Err(Error::ListNotFound),
        Some(stored) if stored.fingerprint != key.fingerprint => Err(Error::KeyReused),
        Some(stored) => {
            let StoredKey { fingerprint: _, todo_id, todo_created_at, list_exists: _ } = stored;
            Ok(Created { todo: Todo::created(new, todo_id, todo_created_at), replayed: true })
        }
        None => {
            let todo = write::insert(connection, collection, new).await?;
            insert_key(connection, &collection.owner, &key, &todo).await.map_err(store_error)?;
            Ok(Created { todo, replayed: false })
        }
    }
}

async fn find_key(
    connection: &mut SqliteConnection,
    collection: &Collection,
    key: &str,
) -> sqlx::Result<Option<StoredKey>> {
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    sqlx::query_as!(
        StoredKey,
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

async fn insert_key(
    connection: &mut SqliteConnection,
    owner: &str,
    key: &IdempotencyKey,
    todo: &Todo,
) -> sqlx::Result<()> {
    let IdempotencyKey { key, fingerprint } = key;
    sqlx::query!(
        "insert or replace into idempotency_keys
             (owner, key, fingerprint, todo_id, todo_created_at, expires_at)
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

pub(crate) async fn delete_expired(connection: &mut SqliteConnection) -> Result<u64> {
    sqlx::query!("delete from idempotency_keys where expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(store_error)
}
