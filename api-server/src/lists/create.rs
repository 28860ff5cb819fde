//! POST /lists

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use todostack_store::NewList;

use super::{ListBody, ListInput};
use crate::{
    error::ApiError,
    extract::{Caller, JsonBody},
    links::Links,
    state::AppState,
};

/// Make a list
pub(crate) async fn create(
    State(state): State<AppState>,
    Caller(owner): Caller,
    links: Links,
    body: JsonBody<ListInput>,
) -> Result<Response, ApiError> {
    let list = state.store.create_list(&owner, NewList::try_from(body.value)?).await?;
    let list = ListBody::new(list, &owner, &links);
    let location = HeaderValue::from_str(&list.url).map_err(|_| ApiError::RouteNotFound)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(list)).into_response())
}
