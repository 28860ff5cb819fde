//! Changing and deleting todos: one statement each, which includes the precondition, so that no other change
//! can come between.

use sqlx::{PgConnection, types::Json};
use todostack_store::{
    Collection, DueDate, Error, Filter, Precondition, Priority, Result, Tags, Title, Todo, TodoPatch,
    TodoPlace,
};

use crate::TodoRow;

pub(crate) async fn update(
    connection: &mut PgConnection,
    place: &TodoPlace,
    patch: TodoPatch,
    if_match: &Precondition,
) -> Result<Todo> {
    let TodoPlace { collection, id } = place;
    let TodoPatch { title, completed, order, due_date, tags, priority } = patch;
    let updated = sqlx::query_as!(
        TodoRow,
        r#"
        update todos
        set title = coalesce($5, title),
            completed = coalesce($6, completed),
            position = case when $7 then $8 else position end,
            due_date = case when $9 then $10 else due_date end,
            tags = coalesce($11, tags),
            priority = case when $12 then $13 else priority end,
            version = version + 1,
            updated_at = now()
        where id = $1 and owner = $2 and coalesce(list_id, 0) = $3
          and ($4::bigint[] is null or version = any($4))
        returning id, owner, list_id, title, completed, position, due_date, tags as "tags: Json<Vec<String>>",
                  priority, version, created_at, updated_at
        "#,
        id,
        &*collection.owner,
        collection.list_or_zero(),
        if_match.versions(),
        title.map(Title::into_string),
        completed,
        order.is_some(),
        order.flatten(),
        due_date.is_some(),
        due_date.flatten().map(DueDate::day),
        tags.map(Tags::into_vec).map(Json) as _,
        priority.is_some(),
        priority.flatten().map(Priority::number)
    )
    .fetch_optional(&mut *connection)
    .await?;
    match updated {
        Some(row) => Ok(row.into()),
        None => Err(why_unchanged(connection, place).await?),
    }
}

pub(crate) async fn delete(
    connection: &mut PgConnection,
    place: &TodoPlace,
    if_match: &Precondition,
) -> Result<()> {
    let TodoPlace { collection, id } = place;
    let deleted = sqlx::query!(
        r#"
        delete from todos
        where id = $1 and owner = $2 and coalesce(list_id, 0) = $3
          and ($4::bigint[] is null or version = any($4))
        "#,
        id,
        &*collection.owner,
        collection.list_or_zero(),
        if_match.versions()
    )
    .execute(&mut *connection)
    .await?;
    if deleted.rows_affected() == 0 { Err(why_unchanged(connection, place).await?) } else { Ok(()) }
}

/// A todo that exists but was not changed did not meet the precondition.
async fn why_unchanged(connection: &mut PgConnection, place: &TodoPlace) -> Result<Error> {
    let TodoPlace { collection, id } = place;
    let exists = sqlx::query_scalar!(
        r#"
        select exists (
            select from todos where id = $1 and owner = $2 and coalesce(list_id, 0) = $3
        ) as "exists!"
        "#,
        id,
        &*collection.owner,
        collection.list_or_zero()
    )
    .fetch_one(connection)
    .await?;
    Ok(if exists { Error::PreconditionFailed } else { Error::TodoNotFound })
}

pub(crate) async fn delete_all(
    connection: &mut PgConnection,
    collection: &Collection,
    filter: &Filter,
) -> Result<u64> {
    let done = sqlx::query!(
        r#"
        with deleted as (
            delete from todos
            where owner = $1 and coalesce(list_id, 0) = $2
              and ($3::boolean is null or completed = $3)
              and ($4::text is null or strpos(lower(title), lower($4)) > 0)
            returning 1
        )
        select count(*) as "deleted!",
               $2 = 0 or exists (select from lists where id = $2 and owner = $1) as "list_exists!"
        from deleted
        "#,
        &*collection.owner,
        collection.list_or_zero(),
        filter.completed,
        filter.text
    )
    .fetch_one(connection)
    .await?;
    if done.list_exists { Ok(done.deleted.unsigned_abs()) } else { Err(Error::ListNotFound) }
}
