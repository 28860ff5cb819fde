//! DELETE /lists/{list}

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use todostack_store::Store;

use crate::{error::ApiError, extract::AtList};

/// Delete a list with its todos
#[utoipa::path(
    delete,
    path = "/lists/{list}",
    operation_id = "deleteList",
    tag = "lists",
    params(("list" = i64, Path, description = "The number of the list")),
    responses((status = 204, description = "Deleted"), (status = 404, description = "No such list"))
)]
pub(crate) async fn delete(
    State(store): State<Arc<dyn Store>>,
    AtList { owner, id }: AtList,
) -> Result<StatusCode, ApiError> {
    store.delete_list(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
