//! DELETE /todos, DELETE /lists/{list}/todos

use axum::extract::State;
use http::StatusCode;

use crate::{
    error::ApiError,
    extract::{InCollection, Params},
    paging::FilterParams,
    state::AppState,
};

/// Delete all todos, or those that match
///
/// `?completed=true` deletes what is done.
#[utoipa::path(
    delete,
    path = "/todos",
    operation_id = "deleteTodos",
    tag = "todos",
    params(FilterParams),
    responses(
        (status = 204, description = "Deleted, however many there were"),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn clear(
    State(state): State<AppState>,
    InCollection(collection): InCollection,
    Params(params): Params<FilterParams>,
) -> Result<StatusCode, ApiError> {
    state.store.delete_todos(&collection, &params.filter()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
