//! DELETE /todos/{id}, DELETE /lists/{list}/todos/{id}

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use todostack_store::Store;

use crate::{error::ApiError, etag::IfMatch, extract::AtTodo};

/// Delete a todo
#[utoipa::path(
    delete,
    path = "/todos/{id}",
    operation_id = "deleteTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "The number of the todo"), IfMatch),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A header is invalid"),
        (status = 404, description = "No such todo"),
        (status = 412, description = "The todo does not have an ETag of If-Match"),
    )
)]
pub(crate) async fn delete(
    State(store): State<Arc<dyn Store>>,
    AtTodo { place, .. }: AtTodo,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, ApiError> {
    store.delete_todo(&place, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}
