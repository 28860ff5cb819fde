//! POST /todos, POST /lists/{list}/todos

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{Created, NewTodo, Store};

use super::{TodoBody, TodoInput};
use crate::{
    error::ApiError,
    etag,
    extract::{InCollection, JsonBody, ListParam},
    idempotency::{self, Key},
};

/// Create a todo
///
/// With an `Idempotency-Key`, a repeated request gets the first response for a day, and creates nothing.
#[utoipa::path(
    post,
    path = "/todos",
    operation_id = "createTodo",
    tag = "todos",
    params(ListParam, Key),
    request_body = TodoInput,
    responses(
        (status = 201, description = "Created", body = TodoBody,
         headers(("location" = String, description = "The URL of the todo"),
                 ("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"),
                 ("idempotency-replayed" = Option<String>,
                  description = "`true` when this is the response to a repeated request"))),
        (status = 404, description = "No such list"),
        (status = 422,
         description = "The body is not a valid todo, or the Idempotency-Key was used with another request"),
        (status = 409, description = "A request with this Idempotency-Key is in progress"),
    )
)]
pub(crate) async fn create(
    State(store): State<Arc<dyn Store>>,
    InCollection { collection, links }: InCollection,
    key: Key,
    body: JsonBody<TodoInput>,
) -> Result<Response, ApiError> {
    let key = key.with_body(&body.bytes);
    let new = NewTodo::try_from(body.value)?;
    let Created { stored, replayed } = store.create_todo(&collection, new, key).await?;
    let etag = etag::for_todo(&stored);
    let todo = TodoBody::new(stored, collection.list, &links);
    idempotency::created(&todo, &todo.url, etag, replayed)
}
