//! A page of a collection: one query per order, since `order by` cannot be a parameter. Single todos are in
//! `read`.

use sqlx::{PgConnection, types::Json};
use todostack_store::{Collection, Cursor, Result, Sort, Todo, TodoQuery};

use crate::{TodoRow, lists};

pub(crate) async fn select(
    connection: &mut PgConnection,
    collection: &Collection,
    query: &TodoQuery,
) -> Result<Vec<Todo>> {
    /// `$after` is the condition of rows after the cursor, which is ($5, $6); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            sqlx::query_as!(
                TodoRow,
                r#"
            select id, owner, list_id, title, completed, position, due_date, tags as "tags: Json<Vec<String>>",
                   priority, version, created_at, updated_at
            from todos
            where owner = $1 and coalesce(list_id, 0) = $2
              and ($3::boolean is null or completed = $3)
              and ($4::text is null or strpos(lower(title), lower($4)) > 0)
              and ($5::bigint is null or "#
                    + $after
                    + r#")
            order by "#
                    + $order
                    + " limit $7",
                &*collection.owner,
                collection.list_or_zero(),
                query.filter.completed,
                query.filter.text.as_deref(),
                query.after.map(|after| after.order),
                query.after.map(|after| after.id),
                query.limit
            )
            .fetch_all(&mut *connection)
            .await?
        };
    }
    // `9223372036854775807` is `Cursor::NO_ORDER`.
    const { assert!(Cursor::NO_ORDER == 9_223_372_036_854_775_807) };
    let rows = match query.sort {
        Sort::Created => select_page!("id > $6::bigint", "id"),
        Sort::CreatedDescending => select_page!("id < $6::bigint", "id desc"),
        Sort::Order => select_page!(
            "(coalesce(position, 9223372036854775807), id) > ($5::bigint, $6::bigint)",
            "coalesce(position, 9223372036854775807), id"
        ),
        Sort::OrderDescending => select_page!(
            "(coalesce(position, 9223372036854775807), id) < ($5::bigint, $6::bigint)",
            "coalesce(position, 9223372036854775807) desc, id desc"
        ),
    };
    // As a part of the page's query this costs 50 µs of planning per page; here it runs for empty pages of
    // lists only.
    if rows.is_empty()
        && let Some(list) = collection.list
    {
        lists::select_one(connection, &collection.owner, list).await?;
    }
    Ok(rows.into_iter().map(Todo::from).collect())
}
