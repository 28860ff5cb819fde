//! DELETE /lists/{list}

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use todostack_store::Store;

use crate::{error::ApiError, etag::IfMatch, extract::AtList};

/// Delete a list with its todos
#[utoipa::path(
    delete,
    path = "/lists/{list}",
    operation_id = "deleteList",
    tag = "lists",
    params(("list" = i64, Path, description = "The number of the list"), IfMatch),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A header is invalid"),
        (status = 404, description = "No such list"),
        (status = 412, description = "The list does not have an ETag of If-Match"),
    )
)]
pub(crate) async fn delete(
    State(store): State<Arc<dyn Store>>,
    AtList { place, .. }: AtList,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, ApiError> {
    store.delete_list(&place, precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}
