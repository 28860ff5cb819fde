//! PATCH /todos/{id}, PATCH /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{Store, TodoPatch};

use super::{TodoBody, TodoPatchInput, todo_response};
use crate::{
    error::ApiError,
    etag::IfMatch,
    extract::{AtTodo, JsonBody},
};

/// Change some fields of a todo
///
/// A merge patch (RFC 7396): absent fields stay, `null` removes a value.
#[utoipa::path(
    patch,
    path = "/todos/{id}",
    operation_id = "updateTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "The number of the todo"), IfMatch),
    request_body(content(
        (TodoPatchInput = "application/merge-patch+json"),
        (TodoPatchInput = "application/json"),
    )),
    responses(
        (status = 200, description = "The changed todo", body = TodoBody,
         headers(("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"))),
        (status = 422, description = "The body is not a valid todo"),
        (status = 404, description = "No such todo"),
        (status = 412, description = "The todo does not have an ETag of If-Match"),
    )
)]
pub(crate) async fn update(
    State(store): State<Arc<dyn Store>>,
    AtTodo { place, links }: AtTodo,
    IfMatch(precondition): IfMatch,
    body: JsonBody<TodoPatchInput>,
) -> Result<Response, ApiError> {
    let patch = TodoPatch::try_from(body.value)?;
    let todo = store.update_todo(&place, patch, precondition).await?;
    Ok(todo_response(todo, place.collection.list, &links))
}
