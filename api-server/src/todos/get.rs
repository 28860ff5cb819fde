//! GET /todos/{id}, GET /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::Store;

use super::{TodoBody, answer};
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
    params(("id" = i64, Path, description = "Its number"), IfNoneMatch),
    responses(
        (status = 200, description = "The todo", body = TodoBody,
         headers(("etag" = String, description = "Its version, for If-Match and If-None-Match"))),
        (status = 304, description = "The client has it already",
         headers(("etag" = String, description = "Its version, for If-Match and If-None-Match"))),
        (status = 400, description = "A header cannot be read"),
        (status = 404, description = "No such todo"),
    )
)]
pub(crate) async fn get(
    State(store): State<Arc<dyn Store>>,
    AtTodo { place, links }: AtTodo,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let todo = store.todo(&place).await?;
    let etag = etag::of(&todo);
    if known.holds(&etag) {
        return Ok(etag::not_modified(etag));
    }
    Ok(answer(todo, place.collection.list, &links))
}
