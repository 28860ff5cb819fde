//! Statements for lists. Those for the todos in them are in the other files.

use sqlx::{SqliteConnection, SqliteExecutor, SqlitePool, types::Json};
use todostack_store::{
    Cursor, Error, List, ListId, ListName, ListPatch, ListPlace, NewList, Owner, Page, Precondition, Result,
    Sort,
};

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    (owner, new): (Owner, NewList),
) -> Result<List> {
    let NewList { name, order } = new;
    let (owner, name) = (&*owner, name.into_string());
    query_lists!(
        "insert into lists (owner, name, position) values (?1, ?2, ?3) returning",
        "",
        owner,
        name,
        order
    )
    .fetch_one(connection)
    .await
    .map(List::from)
    .map_err(Error::from)
}

pub(crate) async fn select(pool: &SqlitePool, owner: &Owner, page: Page) -> sqlx::Result<Vec<List>> {
    let Page { sort, after, limit } = page;
    let owner = &**owner;
    let (after_order, after_id) = (after.map(|after| after.order), after.map(|after| after.id));
    /// `$after` is the condition of rows after the cursor, which is (?2, ?3); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            query_lists!(
                "select",
                "from lists where owner = ?1 and (?2 is null or " $after ") order by " $order " limit ?4",
                owner,
                after_order,
                after_id,
                limit
            )
            .fetch_all(pool)
            .await?
        };
    }
    let rows = in_order!(sort, select_page);
    Ok(rows.into_iter().map(List::from).collect())
}

pub(crate) async fn select_one(executor: impl SqliteExecutor<'_>, owner: &Owner, id: ListId) -> Result<List> {
    let owner = &**owner;
    query_lists!("select", "from lists where owner = ?1 and id = ?2", owner, id)
        .fetch_optional(executor)
        .await?
        .map(List::from)
        .ok_or(Error::ListNotFound)
}

pub(crate) async fn update(
    connection: &mut SqliteConnection,
    place: &ListPlace,
    patch: ListPatch,
    if_match: &Precondition,
) -> Result<List> {
    let (owner, id, versions) = (&*place.owner, place.id, if_match.versions().map(Json));
    let ListPatch { name, order } = patch;
    let (name, set_order, order) = (name.map(ListName::into_string), order.is_some(), order.flatten());
    let updated = query_lists!(
        "
        update lists
        set name = coalesce(?4, name),
            position = iif(?5, ?6, position),
            version = version + 1,
            updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
        where id = ?1 and owner = ?2 and (?3 is null or version in (select value from json_each(?3)))
        returning",
        "",
        id,
        owner,
        versions,
        name,
        set_order,
        order
    )
    .fetch_optional(&mut *connection)
    .await?;
    match updated {
        Some(row) => Ok(row.into()),
        None => Err(why_unchanged(connection, place).await),
    }
}

pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    place: &ListPlace,
    if_match: &Precondition,
) -> Result<()> {
    let (owner, id, versions) = (&*place.owner, place.id, if_match.versions().map(Json));
    let deleted = sqlx::query!(
        "delete from lists
         where id = ?1 and owner = ?2 and (?3 is null or version in (select value from json_each(?3)))",
        id,
        owner,
        versions
    )
    .execute(&mut *connection)
    .await?;
    if deleted.rows_affected() == 0 { Err(why_unchanged(connection, place).await) } else { Ok(()) }
}

/// A list that exists but was not changed did not meet the precondition.
async fn why_unchanged(connection: &mut SqliteConnection, place: &ListPlace) -> Error {
    match select_one(connection, &place.owner, place.id).await {
        Ok(_) => Error::PreconditionFailed,
        Err(error) => error,
    }
}
