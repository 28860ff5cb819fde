//! DELETE /todos/{id}, DELETE /lists/{list}/todos/{id}

use axum::extract::State;
use http::{HeaderMap, StatusCode};

use crate::{error::ApiError, etag, extract::AtTodo, state::AppState};

/// Delete a todo
#[utoipa::path(
    delete,
    path = "/todos/{id}",
    operation_id = "deleteTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "Its number"), ("if-match" = Option<String>, Header, example = "*", pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)?$"#, description = "Only if the todo still has one of these ETags")),
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
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    state.store.delete_todo(&place, etag::precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
