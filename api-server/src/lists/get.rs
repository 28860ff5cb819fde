//! GET /lists/{list}

use axum::{Json, extract::State};

use super::ListBody;
use crate::{error::ApiError, extract::AtList, links::Links, state::AppState};

/// Get a list
#[utoipa::path(
    get,
    path = "/lists/{list}",
    operation_id = "getList",
    tag = "lists",
    params(("list" = i64, Path, description = "Its number")),
    responses((status = 200, description = "The list", body = ListBody), (status = 404, description = "No such list"))
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    AtList(owner, id): AtList,
    links: Links,
) -> Result<Json<ListBody>, ApiError> {
    let list = state.store.list(&owner, id).await?;
    Ok(Json(ListBody::new(list, &owner, &links)))
}
