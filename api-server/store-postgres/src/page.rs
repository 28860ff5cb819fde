//! A page of a collection: one query per order, since `order by` cannot be a parameter. Single todos are in
//! `read`.

use sqlx::{PgConnection, types::Json};
use todostack_store::{Collection, Cursor, Page, Result, Sort, Todo, TodoQuery};

use crate::{TodoRow, lists};

pub(crate) async fn select(
    connection: &mut PgConnection,
    collection: &Collection,
    query: &TodoQuery,
) -> Result<Vec<Todo>> {
    let Page { sort, after, limit } = query.page;
    /// `$after` is the condition of rows after the cursor, which is ($2, $3); `$order` is the order.
    macro_rules! select_page {
        ($after:literal, $order:literal) => {
            sqlx::query_as!(
                TodoRow,
                r#"
            select id, owner, list_id, title, completed, position, due_date, tags as "tags: Json<Vec<String>>",
                   priority, version, created_at, updated_at
            from todos
            where owner = $1 and coalesce(list_id, 0) = $5
              and ($6::boolean is null or completed = $6)
              and ($7::text is null or strpos(lower(title), lower($7)) > 0)
              and ($2::bigint is null or "#
                    + $after
                    + r#")
            order by "#
                    + $order
                    + " limit $4",
                &*collection.owner,
                after.map(|after| after.order),
                after.map(|after| after.id),
                limit,
                collection.list_or_zero(),
                query.filter.completed,
                query.filter.text.as_deref()
            )
            .fetch_all(&mut *connection)
            .await?
        };
    }
    let rows = in_order!(sort, select_page);
    // As a part of the page's query this costs 50 µs of planning per page; here it runs for empty pages of
    // lists only.
    if rows.is_empty()
        && let Some(list) = collection.list
    {
        lists::select_one(connection, &collection.owner, list).await?;
    }
    Ok(rows.into_iter().map(Todo::from).collect())
}
