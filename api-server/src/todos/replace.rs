//! PUT /todos/{id}, PUT /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{NewTodo, Store, TodoPatch};

use super::{TodoBody, TodoInput, answer};
use crate::{
    error::ApiError,
    etag::IfMatch,
    extract::{AtTodo, JsonBody},
};

/// Replace a todo
///
/// All fields become what the body says; those it leaves out go back to their defaults. Makes no todo: numbers are the
/// service's to give.
#[utoipa::path(
    put,
    path = "/todos/{id}",
    operation_id = "replaceTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "Its number"), IfMatch),
    request_body = TodoInput,
    responses(
        (status = 200, description = "The todo as it is now", body = TodoBody,
         headers(("etag" = String, description = "Its version, for If-Match and If-None-Match"))),
        (status = 422, description = "The body describes no todo"),
        (status = 404, description = "No such todo"),
        (status = 412, description = "The todo has another ETag"),
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
    Ok(answer(todo, place.collection.list, &links))
}
