//! GET /: the index for programs, and the page for browsers.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{etag::IfNoneMatch, links::Links, page::negotiation, state::AppState};

/// Where the collections are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Index)]
#[expect(clippy::struct_field_names, reason = "as `url` and `todosUrl` of a list")]
pub(crate) struct IndexBody {
    /// The absolute URL of the todos.
    #[schema(format = "uri")]
    todos_url: String,
    /// The absolute URL of the lists.
    #[schema(format = "uri")]
    lists_url: String,
    /// The absolute URL of the OpenAPI document.
    #[schema(format = "uri")]
    openapi_url: String,
}

/// Get the index
///
/// Browsers, which prefer HTML, get the page instead. Needs no token, so that a load balancer can check it.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "getIndex",
    tag = "meta",
    params(IfNoneMatch),
    responses(
        (status = 200, description = "The index, or the page", content(
            (IndexBody = "application/json"),
            (String = "text/html; charset=utf-8"),
        )),
        (status = 304, description = "The page has not changed",
         headers(("etag" = String, description = "The version of the page, for If-None-Match"))),
        (status = 400, description = "A header is invalid"),
    )
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    links: Links,
    headers: HeaderMap,
    known: IfNoneMatch,
) -> Response {
    match &state.shared.page {
        Some(page) if negotiation::prefers_html(&headers) => page.html(&headers, &known),
        _ => {
            let (todos_url, lists_url) = (links.todos(None), links.lists());
            let index = IndexBody { todos_url, lists_url, openapi_url: links.openapi() };
            let vary = [(header::VARY, HeaderValue::from_static("accept"))];
            (vary, Json(index)).into_response()
        }
    }
}
