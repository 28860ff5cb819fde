//! POSTs with an `Idempotency-Key`: the key and what it created are stored in one transaction. Other POSTs
//! are in `insert` and `lists`.
//!
//! # Guarantees
//! - At most one todo or list is created per owner and key, by all replicas together, until the key expires;
//!   of an import, each line once.
//! - A process that is killed leaves no key in flight: that is a lock of its transaction, not a row.

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection};
use todostack_store::{
    Collection, Created, Error, IdempotencyKey, ImportProgress, ImportStep, NewTodo, Result,
    sql::{Creation, StoredKey},
};

use crate::{insert, lists};

pub(crate) async fn create_once<C: Creation>(
    connection: &mut PgConnection,
    creation: C,
    key: IdempotencyKey,
    insert: impl AsyncFnOnce(&mut PgConnection, C) -> Result<C::Stored>,
) -> Result<Created<C::Stored>> {
    let (owner, list) = (creation.owner().clone(), creation.list_or_zero());
    with_lock(connection, &owner, &key.key, async |connection| {
        if let Some(stored) = find_key(connection, (&*owner, list), &key.key).await? {
            return stored.replay(creation, &key);
        }
        let stored = insert(&mut *connection, creation).await?;
        let (id, created_at) = C::given(&stored);
        put_key(connection, &owner, &key, (id, Some(created_at))).await?;
        Ok(Created { stored, replayed: false })
    })
    .await
}

pub(crate) async fn import_progress(
    connection: &mut PgConnection,
    collection: &Collection,
    key: &str,
) -> Result<Option<ImportProgress>> {
    if let Some(list) = collection.list {
        lists::select_one(connection, &collection.owner, list).await?;
    }
    let stored = find_key(connection, (&*collection.owner, collection.list_or_zero()), key).await?;
    stored.map(StoredKey::progress).transpose()
}

pub(crate) async fn import(
    connection: &mut PgConnection,
    collection: &Collection,
    new: Vec<NewTodo>,
    step: ImportStep,
) -> Result<()> {
    let (owner, list) = (&collection.owner, collection.list_or_zero());
    with_lock(connection, owner, &step.key, async |connection| {
        let stored = find_key(connection, (&**owner, list), &step.key).await?;
        if stored.map(StoredKey::progress).transpose()? != step.before {
            return Err(Error::KeyInFlight);
        }
        let requests: Vec<_> = new.into_iter().map(|new| (collection.clone(), new)).collect();
        insert::insert(connection, &requests).await?;
        let ImportProgress { lines, fingerprint } = step.after;
        let key = IdempotencyKey { key: step.key.clone(), fingerprint };
        Ok(put_key(connection, owner, &key, (lines, None)).await?)
    })
    .await
}

/// Runs statements in a transaction that has ended when this returns. sqlx ends one that is dropped with the
/// next use of its connection, which may be much later: until then, the key would be in flight.
async fn with_lock<T>(
    connection: &mut PgConnection,
    owner: &str,
    key: &str,
    statements: impl AsyncFnOnce(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut transaction = connection.begin().await?;
    let result = match lock(&mut transaction, owner, key).await {
        Ok(()) => statements(&mut transaction).await,
        Err(error) => Err(error),
    };
    if result.is_ok() { transaction.commit().await } else { transaction.rollback().await }?;
    result
}

/// Held until the end of the transaction. Two keys with the same hash only conflict while both are in flight.
async fn lock(connection: &mut PgConnection, owner: &str, key: &str) -> Result<()> {
    let locked = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended($1, hashtextextended($2, 0))) as "locked!""#,
        key,
        owner
    )
    .fetch_one(connection)
    .await?;
    if locked { Ok(()) } else { Err(Error::KeyInFlight) }
}

/// The columns have the names of todos, the first that were created with keys.
async fn find_key(
    connection: &mut PgConnection,
    (owner, list): (&str, i64),
    key: &str,
) -> sqlx::Result<Option<StoredKey>> {
    sqlx::query_as!(
        StoredKey,
        r#"
        select fingerprint, todo_id as number, todo_created_at as created_at,
               $3::bigint = 0 or exists (select from lists where id = $3 and owner = $1) as "list_exists!"
        from idempotency_keys
        where owner = $1 and key = $2 and expires_at > now()
        "#,
        owner,
        key,
        list
    )
    .fetch_optional(connection)
    .await
}

async fn put_key(
    connection: &mut PgConnection,
    owner: &str,
    IdempotencyKey { key, fingerprint }: &IdempotencyKey,
    (number, created_at): (i64, Option<DateTime<Utc>>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into idempotency_keys (owner, key, fingerprint, todo_id, todo_created_at, expires_at)
         values ($1, $2, $3, $4, coalesce($5, now()), now() + interval '1 day')
         on conflict (owner, key) do update
         set fingerprint = excluded.fingerprint, todo_id = excluded.todo_id,
             todo_created_at = excluded.todo_created_at, expires_at = excluded.expires_at",
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

pub(crate) async fn delete_expired(connection: &mut PgConnection) -> sqlx::Result<u64> {
    sqlx::query!("delete from idempotency_keys where expires_at <= now()")
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}
