//! POSTs, with the key of those that have one in the same transaction. With a single writer no key is in
//! flight while another is processed: a repeated request waits, and then finds the stored key.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use todostack_store::{
    Collection, Created, Error, IdempotencyKey, ImportProgress, ImportStep, NewTodo, Result,
    sql::{Creation, StoredKey},
};

use crate::{lists, write};

pub(crate) async fn create<C: Creation>(
    connection: &mut SqliteConnection,
    creation: C,
    key: Option<IdempotencyKey>,
    insert: impl AsyncFnOnce(&mut SqliteConnection, C) -> Result<C::Stored>,
) -> Result<Created<C::Stored>> {
    let (owner, list) = (creation.owner().clone(), creation.list_or_zero());
    if let Some(key) = &key
        && let Some(stored) = find_key(connection, (&*owner, list), &key.key).await?
    {
        return stored.replay(creation, key);
    }
    let stored = insert(&mut *connection, creation).await?;
    if let Some(key) = &key {
        let (id, created_at) = C::given(&stored);
        put_key(connection, &owner, key, (id, Some(created_at))).await?;
    }
    Ok(Created { stored, replayed: false })
}

pub(crate) async fn import_progress(
    connection: &mut SqliteConnection,
    collection: &Collection,
    key: &str,
) -> Result<Option<ImportProgress>> {
    if let Some(list) = collection.list {
        lists::select_one(&mut *connection, &collection.owner, list).await?;
    }
    let stored = find_key(connection, (&*collection.owner, collection.list_or_zero()), key).await?;
    stored.map(StoredKey::progress).transpose()
}

pub(crate) async fn import(
    connection: &mut SqliteConnection,
    collection: &Collection,
    new: Vec<NewTodo>,
    ImportStep { key, before, after }: ImportStep,
) -> Result<()> {
    let owner = &collection.owner;
    let stored = find_key(connection, (&**owner, collection.list_or_zero()), &key).await?;
    if stored.map(StoredKey::progress).transpose()? != before {
        return Err(Error::KeyInFlight);
    }
    for new in new {
        write::insert(connection, (collection.clone(), new)).await?;
    }
    let ImportProgress { lines, fingerprint } = after;
    Ok(put_key(connection, owner, &IdempotencyKey { key, fingerprint }, (lines, None)).await?)
}

/// The columns have the names of todos, the first that were created with keys.
async fn find_key(
    connection: &mut SqliteConnection,
    (owner, list): (&str, i64),
    key: &str,
) -> sqlx::Result<Option<StoredKey>> {
    sqlx::query_as!(
        StoredKey,
        r#"
        select fingerprint, todo_id as number, todo_created_at as "created_at: DateTime<Utc>",
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

async fn put_key(
    connection: &mut SqliteConnection,
    owner: &str,
    IdempotencyKey { key, fingerprint }: &IdempotencyKey,
    (number, created_at): (i64, Option<DateTime<Utc>>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert or replace into idempotency_keys
             (owner, key, fingerprint, todo_id, todo_created_at, expires_at)
         values (?1, ?2, ?3, ?4, coalesce(?5, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
                 strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 day'))",
        owner,
        key,
        fingerprint,
        number,
        created_at
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
