//! GET /lists/{list}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::Store;

use super::{ListBody, list_response};
use crate::{
    error::ApiError,
    etag::{self, IfNoneMatch},
    extract::AtList,
};

/// Get a list
#[utoipa::path(
    get,
    path = "/lists/{list}",
    operation_id = "getList",
    tag = "lists",
    params(("list" = i64, Path, description = "The number of the list"), IfNoneMatch),
    responses(
        (status = 200, description = "The list", body = ListBody,
         headers(("etag" = String, description = "The version of the list, for If-Match and If-None-Match"))),
        (status = 304, description = "The list has not changed",
         headers(("etag" = String, description = "The version of the list, for If-Match and If-None-Match"))),
        (status = 400, description = "A header is invalid"),
        (status = 404, description = "No such list"),
    )
)]
pub(crate) async fn get(
    State(store): State<Arc<dyn Store>>,
    AtList { place, links }: AtList,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let list = store.list(&place.owner, place.id).await?;
    let etag = etag::for_list(&list);
    if known.matches(&etag) {
        return Ok(etag::not_modified(etag));
    }
    Ok(list_response(list, &links))
}
