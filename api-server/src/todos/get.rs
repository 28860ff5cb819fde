//! GET /todos/{id}, GET /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::Store;

use super::{TodoBody, todo_response};
use crate::{
    error::ApiError,
    etag::{self, IfNoneMatch},
    extract::AtTodo,
};

/// Get a todo
#[utoipa::path(
    get,
    path = "/todos/{id}",
    operation_id = "getTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "The number of the todo"), IfNoneMatch),
    responses(
        (status = 200, description = "The todo", body = TodoBody,
         headers(("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"))),
        (status = 304, description = "The todo has not changed",
         headers(("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"))),
        (status = 400, description = "A header is invalid"),
        (status = 404, description = "No such todo"),
    )
)]
pub(crate) async fn get(
    State(store): State<Arc<dyn Store>>,
    AtTodo { place, links }: AtTodo,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let todo = store.todo(&place).await?;
    let etag = etag::for_todo(&todo);
    if known.matches(&etag) {
        return Ok(etag::not_modified(etag));
    }
    Ok(todo_response(todo, place.collection.list, &links))
}
