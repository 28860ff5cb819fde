//! Reading todos, on the connections of the readers. Statements of the writer are in `write`.

use sqlx::SqlitePool;
use todostack_store::{Collection, Cursor, Error, Result, Sort, Todo, TodoPlace, TodoQuery};

use crate::lists;

pub(crate) async fn one(pool: &SqlitePool, place: &TodoPlace) -> Result<Todo> {
    let TodoPlace { collection, id } = place;
    let list = collection.list_or_zero();
    let owner = &*collection.owner;
    query_todos!(
        "select",
        "from todos where id = ?1 and owner = ?2 and coalesce(list_id, 0) = ?3",
        id,
        owner,
        list
    )
    .fetch_optional(pool)
    .await?
    .map(Todo::from)
    .ok_or(Error::TodoNotFound)
}

pub(crate) async fn page(pool: &SqlitePool, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
    let (owner, list, filter) = (&*collection.owner, collection.list_or_zero(), &query.filter);
    let (after_order, after_id) = (query.after.map(|after| after.order), query.after.map(|after| after.id));
    /// `$after` is the condition of rows after the cursor, which is (?5, ?6); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            query_todos!(
                "select",
                "from todos
                 where owner = ?1 and coalesce(list_id, 0) = ?2
                   and (?3 is null or completed = ?3)
                   and (?4 is null or instr(lower(title), lower(?4)) > 0)
                   and (?5 is null or " $after ")
                 order by " $order " limit ?7",
                owner,
                list,
                filter.completed,
                filter.text,
                after_order,
                after_id,
                query.limit
            )
            .fetch_all(pool)
            .await?
        };
    }
    // `9223372036854775807` is `Cursor::NO_ORDER`.
    const { assert!(Cursor::NO_ORDER == 9_223_372_036_854_775_807) };
    let rows = match query.sort {
        Sort::Created => select_page!("id > ?6", "id"),
        Sort::CreatedDescending => select_page!("id < ?6", "id desc"),
        Sort::Order => select_page!(
            "(coalesce(position, 9223372036854775807), id) > (?5, ?6)",
            "coalesce(position, 9223372036854775807), id"
        ),
        Sort::OrderDescending => select_page!(
            "(coalesce(position, 9223372036854775807), id) < (?5, ?6)",
            "coalesce(position, 9223372036854775807) desc, id desc"
        ),
    };
    if rows.is_empty()
        && let Some(list) = collection.list
    {
        lists::select_one(pool, &collection.owner, list).await?;
    }
    Ok(rows.into_iter().map(Todo::from).collect())
}
