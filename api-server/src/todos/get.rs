//! GET /todos/{id}, GET /lists/{list}/todos/{id}

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};

use super::{TodoBody, answer};
use crate::{error::ApiError, etag, extract::AtTodo, links::Links, state::AppState};

/// Get a todo
#[utoipa::path(
    get,
    path = "/todos/{id}",
    operation_id = "getTodo",
    tag = "todos",
    params(("id" = i64, Path, description = "Its number"),
           ("if-none-match" = Option<String>, Header, example = "*", pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)?$"#, description = "Not if the todo still has one of these ETags")),
    responses(
        (status = 200, description = "The todo", body = TodoBody,
         headers(("etag" = String, description = "Its version, for If-Match and If-None-Match"))),
        (status = 304, description = "The client has it already",
         headers(("etag" = String, description = "Its version, for If-Match and If-None-Match"))),
        (status = 400, description = "A header cannot be read"),
        (status = 404, description = "No such todo"),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    AtTodo(place): AtTodo,
    links: Links,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let todo = state.store.todo(&place).await?;
    if etag::client_has(&headers, &todo)? {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag::of(&todo))]).into_response());
    }
    Ok(answer(todo, &place.collection, &links))
}
