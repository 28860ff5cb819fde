//! DELETE /todos/{id}, DELETE /lists/{list}/todos/{id}

use axum::extract::State;
use http::{HeaderMap, StatusCode};

use crate::{error::ApiError, etag, extract::AtTodo, state::AppState};

/// Delete a todo
pub(crate) async fn delete(
    State(state): State<AppState>,
    AtTodo(place): AtTodo,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    state.store.delete_todo(&place, etag::precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
