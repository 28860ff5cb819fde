//! Reading todos, on the connections of the readers. Statements of the writer are in `write`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{SqlitePool, types::Json};
use todostack_store::{Collection, Cursor, Error, Result, Sort, Todo, TodoPlace, TodoQuery};

use crate::{TodoRow, errors::store_error, lists};

pub(crate) async fn one(pool: &SqlitePool, place: &TodoPlace) -> Result<Todo> {
    let TodoPlace { collection, id } = place;
    let list = collection.list_or_zero();
    let owner = &*collection.owner;
    sqlx::query_as!(
        TodoRow,
        r#"
        select id as "id!", owner, list_id, title, completed as "completed: bool", position,
               due_date as "due_date: NaiveDate", tags as "tags: Json<Vec<String>>", priority, version,
               created_at as "created_at: DateTime<Utc>", updated_at as "updated_at: DateTime<Utc>"
        from todos
        where id = ?1 and owner = ?2 and coalesce(list_id, 0) = ?3
        "#,
        id,
        owner,
        list
    )
    .fetch_optional(pool)
    .await
    .map_err(store_error)?
    .map(Todo::from)
    .ok_or(Error::TodoNotFound)
}

/// `$after` is the condition of rows after the cursor, which is (?5, ?6); `$order` is the order.
macro_rules! select_page {
    ($pool:expr, $collection:expr, $query:expr, $after:literal, $order:literal) => {{
        let owner = &*$collection.owner;
        let list = $collection.list_or_zero();
        let text = $query.filter.text.as_deref();
        let after_order = $query.after.map(|after| after.order);
        let after_id = $query.after.map(|after| after.id);
        sqlx::query_as!(
            TodoRow,
            r#"
            select id as "id!", owner, list_id, title, completed as "completed: bool", position,
                   due_date as "due_date: NaiveDate", tags as "tags: Json<Vec<String>>", priority, version,
                   created_at as "created_at: DateTime<Utc>", updated_at as "updated_at: DateTime<Utc>"
            from todos
            where owner = ?1 and coalesce(list_id, 0) = ?2
              and (?3 is null or completed = ?3)
              and (?4 is null or instr(lower(title), lower(?4)) > 0)
              and (?5 is null or "#
                + $after
                + ") order by "
                + $order
                + " limit ?7",
            owner,
            list,
            $query.filter.completed,
            text,
            after_order,
            after_id,
            $query.limit
        )
        .fetch_all($pool)
        .await
    }};
}

pub(crate) async fn page(pool: &SqlitePool, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
    // `9223372036854775807` is `Cursor::NO_ORDER`.
    const { assert!(Cursor::NO_ORDER == 9_223_372_036_854_775_807) };
    let rows = match query.sort {
        Sort::Created => select_page!(pool, collection, query, "id > ?6", "id"),
        Sort::CreatedDescending => select_page!(pool, collection, query, "id < ?6", "id desc"),
        Sort::Order => select_page!(
            pool,
            collection,
            query,
            "(coalesce(position, 9223372036854775807), id) > (?5, ?6)",
            "coalesce(position, 9223372036854775807), id"
        ),
        Sort::OrderDescending => select_page!(
            pool,
            collection,
            query,
            "(coalesce(position, 9223372036854775807), id) < (?5, ?6)",
            "coalesce(position, 9223372036854775807) desc, id desc"
        ),
    };
    let rows = rows.map_err(store_error)?;
    if rows.is_empty()
        && let Some(list) = collection.list
    {
        lists::select_one(pool, &collection.owner, list).await?;
    }
    Ok(rows.into_iter().map(Todo::from).collect())
}
