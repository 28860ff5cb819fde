//! Statements for lists. Those for the todos in them are in the other files.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use todostack_store::{
    Cursor, Error, List, ListId, ListName, ListPatch, ListPlace, NewList, Owner, Page, Precondition, Result,
    Sort,
    sql::{Creation as _, ListRow},
};

/// The columns that the database adds to a new list.
struct Inserted {
    id: ListId,
    created_at: DateTime<Utc>,
}

pub(crate) async fn insert(connection: &mut PgConnection, new: (Owner, NewList)) -> Result<List> {
    let NewList { name, order } = &new.1;
    let Inserted { id, created_at } = sqlx::query_as!(
        Inserted,
        "insert into lists (owner, name, position) values ($1, $2, $3) returning id, created_at",
        &*new.0,
        name.as_str(),
        *order
    )
    .fetch_one(connection)
    .await?;
    Ok(new.stored(id, created_at))
}

pub(crate) async fn select(
    connection: &mut PgConnection,
    owner: &Owner,
    page: Page,
) -> sqlx::Result<Vec<List>> {
    /// `$after` is the condition of rows after the cursor, which is ($2, $3); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            sqlx::query_as!(
                ListRow,
                "select id, name, position, version, created_at, updated_at
                 from lists where owner = $1 and ($2::bigint is null or "
                    + $after
                    + ") order by "
                    + $order
                    + " limit $4",
                &**owner,
                page.after.map(|after| after.order),
                page.after.map(|after| after.id),
                page.limit
            )
            .fetch_all(connection)
            .await?
        };
    }
    let rows = in_order!(page.sort, select_page);
    Ok(rows.into_iter().map(List::from).collect())
}

pub(crate) async fn select_one(connection: &mut PgConnection, owner: &Owner, id: ListId) -> Result<List> {
    sqlx::query_as!(
        ListRow,
        "select id, name, position, version, created_at, updated_at from lists where owner = $1 and id = $2",
        &**owner,
        id
    )
    .fetch_optional(connection)
    .await?
    .map(List::from)
    .ok_or(Error::ListNotFound)
}

pub(crate) async fn update(
    connection: &mut PgConnection,
    ListPlace { owner, id }: &ListPlace,
    ListPatch { name, order }: ListPatch,
    if_match: &Precondition,
) -> Result<List> {
    let updated = sqlx::query_as!(
        ListRow,
        r#"
        update lists
        set name = coalesce($4, name),
            position = case when $5 then $6 else position end,
            version = version + 1,
            updated_at = now()
        where id = $1 and owner = $2 and ($3::bigint[] is null or version = any($3))
        returning id, name, position, version, created_at, updated_at
        "#,
        id,
        &**owner,
        if_match.versions(),
        name.map(ListName::into_string),
        order.is_some(),
        order.flatten()
    )
    .fetch_optional(&mut *connection)
    .await?;
    match updated {
        Some(row) => Ok(row.into()),
        None => Err(why_unchanged(connection, owner, *id).await),
    }
}

pub(crate) async fn delete(
    connection: &mut PgConnection,
    ListPlace { owner, id }: &ListPlace,
    if_match: &Precondition,
) -> Result<()> {
    let deleted = sqlx::query!(
        "delete from lists
         where id = $1 and owner = $2 and ($3::bigint[] is null or version = any($3))",
        id,
        &**owner,
        if_match.versions()
    )
    .execute(&mut *connection)
    .await?;
    if deleted.rows_affected() == 0 { Err(why_unchanged(connection, owner, *id).await) } else { Ok(()) }
}

/// A list that exists but was not changed did not meet the precondition.
async fn why_unchanged(connection: &mut PgConnection, owner: &Owner, id: ListId) -> Error {
    match select_one(connection, owner, id).await {
        Ok(_) => Error::PreconditionFailed,
        Err(error) => error,
    }
}
