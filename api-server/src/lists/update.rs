//! PATCH /lists/{list}

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{ListPatch, Store};

use super::{ListBody, ListPatchInput, list_response};
use crate::{
    error::ApiError,
    etag::IfMatch,
    extract::{AtList, JsonBody},
};

/// Rename a list, or change its position
///
/// A merge patch (RFC 7396): absent fields stay, `null` removes a value.
#[utoipa::path(
    patch,
    path = "/lists/{list}",
    operation_id = "updateList",
    tag = "lists",
    params(("list" = i64, Path, description = "The number of the list"), IfMatch),
    request_body(content(
        (ListPatchInput = "application/merge-patch+json"),
        (ListPatchInput = "application/json"),
    )),
    responses(
        (status = 200, description = "The changed list", body = ListBody,
         headers(("etag" = String, description = "The version of the list, for If-Match and If-None-Match"))),
        (status = 422, description = "The body is not a valid list"),
        (status = 404, description = "No such list"),
        (status = 412, description = "The list does not have an ETag of If-Match"),
    )
)]
pub(crate) async fn update(
    State(store): State<Arc<dyn Store>>,
    AtList { place, links }: AtList,
    IfMatch(precondition): IfMatch,
    body: JsonBody<ListPatchInput>,
) -> Result<Response, ApiError> {
    let patch = ListPatch::try_from(body.value)?;
    let list = store.update_list(&place, patch, precondition).await?;
    Ok(list_response(list, &links))
}
