//! Statements for lists. Those for the todos in them are in the other files.

use sqlx::PgConnection;
use todostack_store::{Error, List, ListId, NewList, Owner, Result};

pub(crate) async fn insert(
    connection: &mut PgConnection,
    owner: &Owner,
    new: &NewList,
) -> sqlx::Result<List> {
    let NewList { name } = new;
    sqlx::query_as!(
        List,
        "insert into lists (owner, name) values ($1, $2) returning id, name, created_at",
        &**owner,
        name.as_str()
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn select(
    connection: &mut PgConnection,
    owner: &Owner,
    after: ListId,
    limit: i64,
) -> sqlx::Result<Vec<List>> {
    sqlx::query_as!(
        List,
        "select id, name, created_at from lists where owner = $1 and id > $2 order by id limit $3",
        &**owner,
        after,
        limit
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn select_one(connection: &mut PgConnection, owner: &Owner, id: ListId) -> Result<List> {
    sqlx::query_as!(List, "select id, name, created_at from lists where owner = $1 and id = $2", &**owner, id)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::ListNotFound)
}

pub(crate) async fn delete(connection: &mut PgConnection, owner: &Owner, id: ListId) -> Result<()> {
    let deleted = sqlx::query!("delete from lists where owner = $1 and id = $2", &**owner, id)
        .execute(connection)
        .await?;
    if deleted.rows_affected() == 0 { Err(Error::ListNotFound) } else { Ok(()) }
}
