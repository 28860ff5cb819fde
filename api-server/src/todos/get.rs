//! GET /todos/{id}, GET /lists/{list}/todos/{id}

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};

use super::TodoBody;
use crate::{error::ApiError, etag, extract::AtTodo, links::Links, state::AppState};

/// Get a todo
pub(crate) async fn get(
    State(state): State<AppState>,
    AtTodo(place): AtTodo,
    links: Links,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let todo = state.store.todo(&place).await?;
    let etag = [(header::ETAG, etag::of(&todo))];
    if etag::client_has(&headers, &todo)? {
        return Ok((StatusCode::NOT_MODIFIED, etag).into_response());
    }
    Ok((etag, Json(TodoBody::new(todo, &place.collection, &links))).into_response())
}
