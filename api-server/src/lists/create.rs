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
#[utoipa::path(
    post,
    path = "/lists",
    operation_id = "createList",
    tag = "lists",
    request_body = ListInput,
    responses(
        (status = 201, description = "Made", body = ListBody,
         headers(("location" = String, description = "Its address"))),
        (status = 422, description = "The body describes no list"),
    )
)]
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
