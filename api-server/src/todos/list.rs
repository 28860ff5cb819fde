//! GET /todos, GET /lists/{list}/todos

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use todostack_store::Store;

use super::{TodoBody, stream::Pages};
use crate::{
    error::ApiError,
    etag::{self, IfNoneMatch},
    extract::{InCollection, ListParam},
    paging::{self, TodosParams},
};

/// List todos
///
/// Without `limit`, all todos as one array. A response with less than 1,000 todos has an ETag; a larger one
/// is streamed, and its ETag would be known only at its end.
#[utoipa::path(
    get,
    path = "/todos",
    operation_id = "listTodos",
    tag = "todos",
    params(ListParam, TodosParams, IfNoneMatch),
    responses(
        (status = 200, description = "The todos, as an array", body = Vec<TodoBody>,
         headers(("etag" = Option<String>, description = "The version of these todos, for If-None-Match"),
                 ("link" = Option<String>,
                  description = "With `limit`: the URL of the next page, rel=\"next\""))),
        (status = 304, description = "The todos have not changed",
         headers(("etag" = String, description = "The version of these todos, for If-None-Match"))),
        (status = 400, description = "A parameter or a header is invalid"),
        (status = 404, description = "No such list"),
    )
)]
pub(crate) async fn list(
    State(store): State<Arc<dyn Store>>,
    InCollection { collection, links }: InCollection,
    params: TodosParams,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let (mut query, limit) = params.query()?;
    // One more than the limit, to know whether there is a next page.
    query.page.limit = limit.map_or(query.page.limit, |limit| limit.saturating_add(1));
    let mut todos = store.todos(&collection, &query).await?;
    if limit.is_none() && i64::try_from(todos.len()).is_ok_and(|len| len == query.page.limit) {
        let all = Pages::new(store, InCollection { collection, links }, query, todos).array();
        return Ok(([(header::CONTENT_TYPE, "application/json")], all).into_response());
    }
    let address = links.todos(collection.list);
    let more = limit.is_some_and(|limit| paging::truncate(&mut todos, limit));
    let last = todos.last().filter(|_| more);
    let next = last.and_then(|last| params.next_link(&address, last.into()));
    let etag = etag::for_page(&address, next.as_ref(), todos.iter().map(|todo| (todo.id, todo.version)));
    if known.matches(&etag) {
        return Ok(etag::not_modified(etag));
    }
    let bodies = todos.into_iter().map(|todo| TodoBody::new(todo, collection.list, &links));
    let body = Json(bodies.collect::<Vec<_>>());
    Ok(([(header::ETAG, etag)], paging::link_header(next), body).into_response())
}
