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
    extract::{AtLists, Params},
    paging::{self, MAX_LIMIT},
    schemas,
};

/// Parameters of the list of lists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListsParams {
    /// How many at most, 1 to 1,000.
    #[serde(default = "ListsParams::default_limit")]
    #[param(inline, required = false, value_type = schemas::Limit)]
    limit: i64,
    /// Where the page begins: from the `Link` header of the page before.
    #[serde(default)]
    cursor: i64,
}

impl ListsParams {
    fn default_limit() -> i64 {
        MAX_LIMIT
    }
}

/// List the lists, oldest first
///
/// At most 1,000; the header `Link` leads to the rest.
#[utoipa::path(
    get,
    path = "/lists",
    operation_id = "listLists",
    tag = "lists",
    params(ListsParams, IfNoneMatch),
    responses(
        (status = 200, description = "The lists", body = Vec<ListBody>,
         headers(("etag" = String, description = "Changes with any of these lists, for If-None-Match"),
                 ("link" = Option<String>, description = "Where the next page is, rel=\"next\""))),
        (status = 304, description = "The client has them already",
         headers(("etag" = String, description = "Changes with any of these lists, for If-None-Match"))),
        (status = 400, description = "A parameter or a header is wrong"),
    )
)]
pub(crate) async fn list(
    State(store): State<Arc<dyn Store>>,
    AtLists { owner, links }: AtLists,
    Params(ListsParams { limit, cursor }): Params<ListsParams>,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    paging::check_limit(limit)?;
    let mut lists = store.lists(&owner, cursor, limit.saturating_add(1)).await?;
    let more = paging::cut(&mut lists, limit);
    let address = links.lists();
    let next = lists.last().filter(|_| more).and_then(|last| {
        HeaderValue::from_str(&format!("<{address}?cursor={}&limit={limit}>; rel=\"next\"", last.id)).ok()
    });
    // A list never changes once it is made.
    let etag = etag::of_page(&address, next.as_ref(), lists.iter().map(|list| (list.id, 1)));
    if known.holds(&etag) {
        return Ok(etag::not_modified(etag));
    }
    let lists: Vec<ListBody> = lists.into_iter().map(|list| ListBody::new(list, &links)).collect();
    Ok(([(header::ETAG, etag)], paging::link(next), Json(lists)).into_response())
}
