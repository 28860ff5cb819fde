//! Statements for lists. Those for the todos in them are in the other files.

use chrono::{DateTime, Utc};
use sqlx::{SqliteConnection, SqliteExecutor, SqlitePool};
use todostack_store::{Error, List, ListId, NewList, Owner, Result};

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    owner: &Owner,
    new: &NewList,
) -> sqlx::Result<List> {
    let NewList { name } = new;
    let (owner, name) = (&**owner, name.as_str());
    sqlx::query_as!(
        List,
        r#"
        insert into lists (owner, name) values (?1, ?2)
        returning id as "id!", name as "name!", created_at as "created_at!: DateTime<Utc>"
        "#,
        owner,
        name
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn select(
    pool: &SqlitePool,
    owner: &Owner,
    after: ListId,
    limit: i64,
) -> sqlx::Result<Vec<List>> {
    let owner = &**owner;
    sqlx::query_as!(
        List,
        r#"
        select id as "id!", name, created_at as "created_at: DateTime<Utc>"
        from lists where owner = ?1 and id > ?2 order by id limit ?3
        "#,
        owner,
        after,
        limit
    )
    .fetch_all(pool)
    .await
}

pub(crate) async fn select_one(executor: impl SqliteExecutor<'_>, owner: &Owner, id: ListId) -> Result<List> {
    let owner = &**owner;
    sqlx::query_as!(
        List,
        r#"
        select id as "id!", name, created_at as "created_at: DateTime<Utc>"
        from lists where owner = ?1 and id = ?2
        "#,
        owner,
        id
    )
    .fetch_optional(executor)
    .await?
    .ok_or(Error::ListNotFound)
}

pub(crate) async fn delete(connection: &mut SqliteConnection, owner: &Owner, id: ListId) -> Result<()> {
    let owner = &**owner;
    let deleted =
        sqlx::query!("delete from lists where owner = ?1 and id = ?2", owner, id).execute(connection).await?;
    if deleted.rows_affected() == 0 { Err(Error::ListNotFound) } else { Ok(()) }
}
