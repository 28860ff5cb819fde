//! GET /lists/{list}

use std::sync::Arc;

use axum::{Json, extract::State};
use todostack_store::Store;

use super::ListBody;
use crate::{error::ApiError, extract::AtList, links::Links};

/// Get a list
#[utoipa::path(
    get,
    path = "/lists/{list}",
    operation_id = "getList",
    tag = "lists",
    params(("list" = i64, Path, description = "The number of the list")),
    responses(
        (status = 200, description = "The list", body = ListBody),
        (status = 404, description = "No such list"),
    )
)]
pub(crate) async fn get(
    State(store): State<Arc<dyn Store>>,
    AtList { owner, id }: AtList,
    links: Links,
) -> Result<Json<ListBody>, ApiError> {
    let list = store.list(&owner, id).await?;
    Ok(Json(ListBody::new(list, &links)))
}
