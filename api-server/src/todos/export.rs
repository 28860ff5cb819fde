//! GET /todos/export, GET /lists/{list}/todos/export

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use todostack_store::{Page, Sort, Store, TodoQuery};

use super::stream::Pages;
use crate::{
    error::ApiError,
    extract::{InCollection, ListParam, Params},
    ndjson,
    paging::{FilterParams, MAX_LIMIT},
};

/// Export todos
///
/// One `Todo` per line, oldest first, as `application/x-ndjson`. The lines can be imported again, here or
/// elsewhere: all that clients set is kept, and the service assigns `id`, `url`, `createdAt` and `updatedAt`
/// again. A response that breaks off is aborted and not ended, so that it cannot be mistaken for all todos.
#[utoipa::path(
    get,
    path = "/todos/export",
    operation_id = "exportTodos",
    tag = "todos",
    params(ListParam, FilterParams),
    responses(
        (status = 200, description = "The todos, one per line", body = String,
         content_type = "application/x-ndjson",
         headers(("content-disposition" = String, description = "The name of a file for browsers"))),
        (status = 400, description = "A parameter is invalid"),
        (status = 404, description = "No such list"),
    )
)]
pub(crate) async fn export(
    State(store): State<Arc<dyn Store>>,
    place: InCollection,
    Params(filter): Params<FilterParams>,
) -> Result<Response, ApiError> {
    let page = Page { sort: Sort::Created, after: None, limit: MAX_LIMIT };
    let query = TodoQuery { filter: filter.filter()?, page };
    let first = store.todos(&place.collection, &query).await?;
    let headers = [
        (header::CONTENT_TYPE, ndjson::MEDIA_TYPE),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"todos.ndjson\""),
    ];
    Ok((headers, Pages::new(store, place, query, first).lines()).into_response())
}
