//! Creating todos, with a key in the same transaction. With a single writer no key is in flight while another
//! is processed: a repeated request waits, and then finds the stored key.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use todostack_store::{Collection, Created, IdempotencyKey, NewTodo, Result, Todo, sql::StoredKey};

use crate::write;

pub(crate) async fn create(
    connection: &mut SqliteConnection,
    collection: &Collection,
    new: NewTodo,
    key: Option<IdempotencyKey>,
) -> Result<Created> {
    if let Some(key) = &key
        && let Some(stored) = find_key(connection, collection, &key.key).await?
    {
        return stored.replay(new, key);
    }
    let todo = write::insert(connection, collection, new).await?;
    if let Some(key) = &key {
        insert_key(connection, &collection.owner, key, &todo).await?;
    }
    Ok(Created { todo, replayed: false })
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

pub(crate) async fn delete_expired(connection: &mut SqliteConnection) -> sqlx::Result<u64> {
    sqlx::query!("delete from idempotency_keys where expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}
