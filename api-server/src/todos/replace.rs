//! PUT /todos/{id}, PUT /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{NewTodo, Store, TodoPatch};

use super::{TodoBody, TodoInput, todo_response};
use crate::{
    error::ApiError,
    etag::IfMatch,
    extract::{AtTodo, JsonBody},
};

/// Replace a todo
///
/// Fields that the body omits get their defaults. Creates no todo: the service assigns the numbers.
#[utoipa::path(
    put,
    path = "/todos/{id}",
    operation_id = "replaceTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "The number of the todo"), IfMatch),
    request_body = TodoInput,
    responses(
        (status = 200, description = "The changed todo", body = TodoBody,
         headers(("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"))),
        (status = 422, description = "The body is not a valid todo"),
        (status = 404, description = "No such todo"),
        (status = 412, description = "The todo does not have an ETag of If-Match"),
    )
)]
pub(crate) async fn replace(
    State(store): State<Arc<dyn Store>>,
    AtTodo { place, links }: AtTodo,
    IfMatch(precondition): IfMatch,
    body: JsonBody<TodoInput>,
) -> Result<Response, ApiError> {
    let all = TodoPatch::from(NewTodo::try_from(body.value)?);
    let todo = store.update_todo(&place, all, precondition).await?;
    Ok(todo_response(todo, place.collection.list, &links))
}
