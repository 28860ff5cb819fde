//! GET /lists

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use todostack_store::{Page, Store};

use super::ListBody;
use crate::{
    error::ApiError,
    etag::{self, IfNoneMatch},
    extract::{Caller, Params},
    links::Links,
    paging::{self, PageParams},
};

/// List the lists
///
/// At most 1,000; the header `Link` has the URL of the next page.
#[utoipa::path(
    get,
    path = "/lists",
    operation_id = "listLists",
    tag = "lists",
    params(PageParams, IfNoneMatch),
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
    (Caller(owner), links): (Caller, Links),
    Params(params): Params<PageParams>,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let (page, _) = params.page()?;
    // One more than the limit, to know whether there is a next page.
    let mut lists = store.lists(&owner, Page { limit: page.limit.saturating_add(1), ..page }).await?;
    let more = paging::truncate(&mut lists, page.limit);
    let address = links.lists();
    let last = lists.last().filter(|_| more);
    let next = last.and_then(|last| params.next_link(&address, last.into(), []));
    let etag = etag::for_page(&address, next.as_ref(), lists.iter().map(|list| (list.id, list.version)));
    if known.matches(&etag) {
        return Ok(etag::not_modified(etag));
    }
    let lists: Vec<ListBody> = lists.into_iter().map(|list| ListBody::new(list, &links)).collect();
    Ok(([(header::ETAG, etag)], paging::link_header(next), Json(lists)).into_response())
}
