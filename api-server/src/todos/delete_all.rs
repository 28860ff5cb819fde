//! DELETE /todos, DELETE /lists/{list}/todos

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use todostack_store::Store;

use crate::{
    error::ApiError,
    extract::{InCollection, ListParam, Params},
    paging::FilterParams,
};

/// Delete all todos, or those that match
///
/// `?completed=true` deletes the completed ones.
#[utoipa::path(
    delete,
    path = "/todos",
    operation_id = "deleteTodos",
    tag = "todos",
    params(ListParam, FilterParams),
    responses(
        (status = 204, description = "Deleted; also when there were none"),
        (status = 400, description = "A parameter is invalid"),
        (status = 404, description = "No such list"),
    )
)]
pub(crate) async fn delete_all(
    State(store): State<Arc<dyn Store>>,
    InCollection { collection, .. }: InCollection,
    Params(params): Params<FilterParams>,
) -> Result<StatusCode, ApiError> {
    store.delete_todos(&collection, &params.filter()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
