//! GET /lists

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ListBody;
use crate::{
    error::{ApiError, FieldError},
    extract::{Caller, Params},
    links::Links,
    paging::MAX_LIMIT,
    state::AppState,
};

/// Parameters of the list of lists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AllParams {
    /// How many at most, 1 to 1,000.
    #[serde(default = "AllParams::default_limit")]
    #[param(minimum = 1, maximum = 1000)]
    limit: i64,
    /// Where the page begins: from the `Link` header of the page before.
    #[serde(default)]
    cursor: i64,
}

impl AllParams {
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
    params(AllParams),
    responses(
        (status = 200, description = "The lists", body = Vec<ListBody>,
         headers(("link" = Option<String>, description = "Where the next page is, rel=\"next\""))),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn all(
    State(state): State<AppState>,
    Caller(owner): Caller,
    links: Links,
    Params(AllParams { limit, cursor }): Params<AllParams>,
) -> Result<Response, ApiError> {
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::InvalidParameter(FieldError {
            pointer: "limit".to_owned(),
            detail: "must be a number from 1 to 1000".to_owned(),
        }));
    }
    let mut lists = state.store.lists(&owner, cursor, limit.saturating_add(1)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = lists.len() > wanted;
    lists.truncate(wanted);
    let next = lists.last().filter(|_| more).and_then(|last| {
        let address = links.lists();
        HeaderValue::from_str(&format!("<{address}?cursor={}&limit={limit}>; rel=\"next\"", last.id)).ok()
    });
    let lists: Vec<ListBody> = lists.into_iter().map(|list| ListBody::new(list, &owner, &links)).collect();
    let mut response = Json(lists).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}
