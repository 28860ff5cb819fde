//! PUT /todos/{id}, PUT /lists/{list}/todos/{id}

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use todostack_store::{NewTodo, TodoPatch};

use super::{TodoBody, TodoInput};
use crate::{
    error::ApiError,
    etag,
    extract::{AtTodo, JsonBody},
    links::Links,
    state::AppState,
};

/// Replace a todo
///
/// All fields become what the body says; those it leaves out go back to their defaults. Makes no todo: numbers are the
/// service's to give.
pub(crate) async fn replace(
    State(state): State<AppState>,
    (AtTodo(place), links, headers): (AtTodo, Links, HeaderMap),
    body: JsonBody<TodoInput>,
) -> Result<Response, ApiError> {
    let all = TodoPatch::from(NewTodo::try_from(body.value)?);
    let todo = state.store.update_todo(&place, all, etag::precondition(&headers)?).await?;
    let etag = [(header::ETAG, etag::of(&todo))];
    Ok((etag, Json(TodoBody::new(todo, &place.collection, &links))).into_response())
}
