//! DELETE /lists/{list}

use axum::extract::State;
use http::StatusCode;

use crate::{error::ApiError, extract::AtList, state::AppState};

/// Delete a list with its todos
pub(crate) async fn delete(
    State(state): State<AppState>,
    AtList(owner, id): AtList,
) -> Result<StatusCode, ApiError> {
    state.store.delete_list(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
