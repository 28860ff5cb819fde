//! PATCH /todos/{id}, PATCH /lists/{list}/todos/{id}

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use todostack_store::TodoPatch;

use super::{TodoBody, TodoPatchInput};
use crate::{
    error::ApiError,
    etag,
    extract::{AtTodo, JsonBody},
    links::Links,
    state::AppState,
};

/// Change some fields of a todo
///
/// A merge patch (RFC 7396): fields that are absent stay, `null` takes a value away.
pub(crate) async fn update(
    State(state): State<AppState>,
    (AtTodo(place), links, headers): (AtTodo, Links, HeaderMap),
    body: JsonBody<TodoPatchInput>,
) -> Result<Response, ApiError> {
    let patch = TodoPatch::try_from(body.value)?;
    let todo = state.store.update_todo(&place, patch, etag::precondition(&headers)?).await?;
    let etag = [(header::ETAG, etag::of(&todo))];
    Ok((etag, Json(TodoBody::new(todo, &place.collection, &links))).into_response())
}
