//! DELETE /todos/{id}, DELETE /lists/{list}/todos/{id}

use axum::extract::State;
use http::StatusCode;

use crate::{error::ApiError, etag::IfMatch, extract::AtTodo, state::AppState};

/// Delete a todo
#[utoipa::path(
    delete,
    path = "/todos/{id}",
    operation_id = "deleteTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "Its number"), IfMatch),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A header cannot be read"),
        (status = 404, description = "No such todo"),
        (status = 412, description = "The todo has another ETag"),
    )
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    AtTodo(place): AtTodo,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, ApiError> {
    state.store.delete_todo(&place, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}
