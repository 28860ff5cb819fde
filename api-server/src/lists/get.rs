//! GET /lists/{list}

use axum::{Json, extract::State};

use super::ListBody;
use crate::{error::ApiError, extract::AtList, links::Links, state::AppState};

/// Get a list
pub(crate) async fn get(
    State(state): State<AppState>,
    AtList(owner, id): AtList,
    links: Links,
) -> Result<Json<ListBody>, ApiError> {
    let list = state.store.list(&owner, id).await?;
    Ok(Json(ListBody::new(list, &owner, &links)))
}
