//! Reading todos, on the connections of the readers. Statements of the writer are in `write`.

use sqlx::SqlitePool;
use todostack_store::{Collection, Cursor, Error, Page, Result, Sort, Todo, TodoPlace, TodoQuery};

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
    let Page { sort, after, limit } = query.page;
    let (after_order, after_id) = (after.map(|after| after.order), after.map(|after| after.id));
    /// `$after` is the condition of rows after the cursor, which is (?2, ?3); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            query_todos!(
                "select",
                "from todos
                 where owner = ?1 and coalesce(list_id, 0) = ?5
                   and (?6 is null or completed = ?6)
                   and (?7 is null or instr(lower(title), lower(?7)) > 0)
                   and (?2 is null or " $after ")
                 order by " $order " limit ?4",
                owner,
                after_order,
                after_id,
                limit,
                list,
                filter.completed,
                filter.text
            )
            .fetch_all(pool)
            .await?
        };
    }
    let rows = in_order!(sort, select_page);
    if rows.is_empty()
        && let Some(list) = collection.list
    {
        lists::select_one(pool, &collection.owner, list).await?;
    }
    Ok(rows.into_iter().map(Todo::from).collect())
}
