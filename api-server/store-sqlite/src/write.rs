//! Creating, changing and deleting todos, on the connection of the writer. How its transactions are batched
//! is in `writer`.

use sqlx::{SqliteConnection, types::Json};
use todostack_store::{
    Collection, DueDate, Error, Filter, NewTodo, Precondition, Priority, Result, Tags, Title, Todo,
    TodoPatch, TodoPlace,
};

use crate::lists;

/// Lists are numbered from 1, so 0 in place of another owner's list violates the foreign key: the row fails
/// with [`Error::ListNotFound`], as for a list that does not exist.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    (collection, new): (Collection, NewTodo),
) -> Result<Todo> {
    let NewTodo { title, completed, order, due_date, tags, priority } = new;
    let (owner, list, due_date) = (&*collection.owner, collection.list, due_date.map(DueDate::day));
    let (title, tags) = (title.into_string(), Json(tags.into_vec()));
    let priority = priority.map(Priority::number);
    query_todos!(
        "
        insert into todos (owner, list_id, title, completed, position, due_date, tags, priority)
        values (
            ?1,
            iif(?2 is not null, coalesce((select id from lists where id = ?2 and owner = ?1), 0), null),
            ?3, ?4, ?5, ?6, ?7, ?8
        )
        returning",
        "",
        owner,
        list,
        title,
        completed,
        order,
        due_date,
        tags,
        priority
    )
    .fetch_one(connection)
    .await
    .map(Todo::from)
    .map_err(Error::from)
}

pub(crate) async fn update(
    connection: &mut SqliteConnection,
    place: &TodoPlace,
    patch: TodoPatch,
    if_match: &Precondition,
) -> Result<Todo> {
    let TodoPlace { collection, id } = place;
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    let versions = if_match.versions().map(Json);
    let TodoPatch { title, completed, order, due_date, tags, priority } = patch;
    let (set_order, set_due_date, set_priority) = (order.is_some(), due_date.is_some(), priority.is_some());
    let (title, tags) = (title.map(Title::into_string), tags.map(Tags::into_vec).map(Json));
    let (order, due_date) = (order.flatten(), due_date.flatten().map(DueDate::day));
    let priority = priority.flatten().map(Priority::number);
    let updated = query_todos!(
        "
        update todos
        set title = coalesce(?5, title),
            completed = coalesce(?6, completed),
            position = iif(?7, ?8, position),
            due_date = iif(?9, ?10, due_date),
            tags = coalesce(?11, tags),
            priority = iif(?12, ?13, priority),
            version = version + 1,
            updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
        where id = ?1 and owner = ?2 and coalesce(list_id, 0) = ?3
          and (?4 is null or version in (select value from json_each(?4)))
        returning",
        "",
        id,
        owner,
        list,
        versions,
        title,
        completed,
        set_order,
        order,
        set_due_date,
        due_date,
        tags,
        set_priority,
        priority
    )
    .fetch_optional(&mut *connection)
    .await?;
    match updated {
        Some(row) => Ok(row.into()),
        None => Err(why_unchanged(connection, place).await?),
    }
}

pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    place: &TodoPlace,
    if_match: &Precondition,
) -> Result<()> {
    let TodoPlace { collection, id } = place;
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    let versions = if_match.versions().map(Json);
    let deleted = sqlx::query!(
        r#"
        delete from todos
        where id = ?1 and owner = ?2 and coalesce(list_id, 0) = ?3
          and (?4 is null or version in (select value from json_each(?4)))
        "#,
        id,
        owner,
        list,
        versions
    )
    .execute(&mut *connection)
    .await?;
    if deleted.rows_affected() == 0 { Err(why_unchanged(connection, place).await?) } else { Ok(()) }
}

/// A todo that exists but was not changed did not meet the precondition.
async fn why_unchanged(connection: &mut SqliteConnection, place: &TodoPlace) -> Result<Error> {
    let TodoPlace { collection, id } = place;
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    let exists = sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from todos where id = ?1 and owner = ?2 and coalesce(list_id, 0) = ?3
        ) as "exists!: bool"
        "#,
        id,
        owner,
        list
    )
    .fetch_one(connection)
    .await?;
    Ok(if exists { Error::PreconditionFailed } else { Error::TodoNotFound })
}

pub(crate) async fn delete_all(
    connection: &mut SqliteConnection,
    collection: &Collection,
    filter: &Filter,
) -> Result<u64> {
    let (owner, list) = (&*collection.owner, collection.list_or_zero());
    let Filter { completed, text } = filter;
    let deleted = sqlx::query!(
        r#"
        delete from todos
        where owner = ?1 and coalesce(list_id, 0) = ?2
          and (?3 is null or completed = ?3)
          and (?4 is null or instr(lower(title), lower(?4)) > 0)
        "#,
        owner,
        list,
        completed,
        text
    )
    .execute(&mut *connection)
    .await?;
    // In the same transaction, so that the list cannot be created or deleted in between.
    if deleted.rows_affected() == 0
        && let Some(list) = collection.list
    {
        lists::select_one(connection, &collection.owner, list).await?;
    }
    Ok(deleted.rows_affected())
}
