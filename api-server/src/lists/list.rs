//! GET /lists

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use todostack_store::Store;
use utoipa::IntoParams;

use super::ListBody;
use crate::{
    error::ApiError,
    etag::{self, IfNoneMatch},
    extract::{Caller, Params},
    links::Links,
    paging::{self, MAX_LIMIT},
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListsParams {
    /// The maximum number of lists.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// The start of the page: from the `Link` header of the previous page.
    #[serde(default)]
    cursor: i64,
}

/// List the lists, oldest first
///
/// At most 1,000; the header `Link` has the URL of the next page.
#[utoipa::path(
    get,
    path = "/lists",
    operation_id = "listLists",
    tag = "lists",
    params(ListsParams, IfNoneMatch),
    responses(
        (status = 200, description = "The lists", body = Vec<ListBody>,
         headers(("etag" = String, description = "The version of these lists, for If-None-Match"),
                 ("link" = Option<String>, description = "The URL of the next page, rel=\"next\""))),
        (status = 304, description = "The lists have not changed",
         headers(("etag" = String, description = "The version of these lists, for If-None-Match"))),
        (status = 400, description = "A parameter or a header is invalid"),
    )
)]
pub(crate) async fn list(
    State(store): State<Arc<dyn Store>>,
    Caller(owner): Caller,
    links: Links,
    Params(ListsParams { limit, cursor }): Params<ListsParams>,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let limit = limit.unwrap_or(MAX_LIMIT);
    paging::check_limit(limit)?;
    let mut lists = store.lists(&owner, cursor, limit.saturating_add(1)).await?;
    let more = paging::truncate(&mut lists, limit);
    let address = links.lists();
    let next = lists.last().filter(|_| more).and_then(|last| {
        HeaderValue::from_str(&format!("<{address}?cursor={}&limit={limit}>; rel=\"next\"", last.id)).ok()
    });
    // Lists never change, so that each has version 1.
    let etag = etag::for_page(&address, next.as_ref(), lists.iter().map(|list| (list.id, 1)));
    if known.matches(&etag) {
        return Ok(etag::not_modified(etag));
    }
    let lists: Vec<ListBody> = lists.into_iter().map(|list| ListBody::new(list, &links)).collect();
    Ok(([(header::ETAG, etag)], paging::link_header(next), Json(lists)).into_response())
}
