//! POSTs with an `Idempotency-Key`: the key and the todo are stored in one transaction. Other POSTs are in
//! `insert`.
//!
//! # Guarantees
//! - At most one todo is created per owner and key, by all replicas together, until the key expires.
//! - A process that is killed leaves no key in flight: that is a lock of its transaction, not a row.

use sqlx::{Connection as _, PgConnection};
use todostack_store::{Collection, Created, Error, IdempotencyKey, NewTodo, Result, Todo, sql::StoredKey};

use crate::insert;

pub(crate) async fn create_once(
    connection: &mut PgConnection,
    collection: &Collection,
    new: NewTodo,
    key: IdempotencyKey,
) -> Result<Created> {
    let mut transaction = connection.begin().await?;
    if !lock(&mut transaction, &collection.owner, &key.key).await? {
        return Err(Error::KeyInFlight);
    }
    if let Some(stored) = find_key(&mut transaction, collection, &key.key).await? {
        return stored.replay(new, &key);
    }
    let todo = insert::insert_one(&mut transaction, (collection.clone(), new)).await?;
    insert_key(&mut transaction, &collection.owner, &key, &todo).await?;
    transaction.commit().await?;
    Ok(Created { todo, replayed: false })
}

/// Held until the end of the transaction. Two keys with the same hash only conflict while both are in flight.
async fn lock(connection: &mut PgConnection, owner: &str, key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended($1, hashtextextended($2, 0))) as "locked!""#,
        key,
        owner
    )
    .fetch_one(connection)
    .await
}

async fn find_key(
    connection: &mut PgConnection,
    collection: &Collection,
    key: &str,
) -> sqlx::Result<Option<StoredKey>> {
    sqlx::query_as!(
        StoredKey,
        r#"
        select fingerprint, todo_id, todo_created_at,
               $3::bigint = 0 or exists (select from lists where id = $3 and owner = $1) as "list_exists!"
        from idempotency_keys
        where owner = $1 and key = $2 and expires_at > now()
        "#,
        &*collection.owner,
        key,
        collection.list_or_zero()
    )
    .fetch_optional(connection)
    .await
}

async fn insert_key(
    connection: &mut PgConnection,
    owner: &str,
    key: &IdempotencyKey,
    todo: &Todo,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into idempotency_keys (owner, key, fingerprint, todo_id, todo_created_at, expires_at)
         values ($1, $2, $3, $4, $5, now() + interval '1 day')
         on conflict (owner, key) do update
         set fingerprint = excluded.fingerprint, todo_id = excluded.todo_id,
             todo_created_at = excluded.todo_created_at, expires_at = excluded.expires_at",
        owner,
        key.key,
        key.fingerprint,
        todo.id,
        todo.created_at
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(crate) async fn delete_expired(connection: &mut PgConnection) -> sqlx::Result<u64> {
    sqlx::query!("delete from idempotency_keys where expires_at <= now()")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}
