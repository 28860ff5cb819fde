//! POST /lists

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use todostack_store::{NewList, Store};

use super::{ListBody, ListInput};
use crate::{
    error::ApiError,
    extract::{Caller, JsonBody},
    links::Links,
};

/// Create a list
#[utoipa::path(
    post,
    path = "/lists",
    operation_id = "createList",
    tag = "lists",
    request_body = ListInput,
    responses(
        (status = 201, description = "Created", body = ListBody,
         headers(("location" = String, description = "The URL of the list"))),
        (status = 422, description = "The body is not a valid list"),
    )
)]
pub(crate) async fn create(
    State(store): State<Arc<dyn Store>>,
    Caller(owner): Caller,
    links: Links,
    body: JsonBody<ListInput>,
) -> Result<Response, ApiError> {
    let list = store.create_list(&owner, NewList::try_from(body.value)?).await?;
    let list = ListBody::new(list, &links);
    // Cannot fail: `links` accepts only characters of URLs.
    let location = HeaderValue::from_str(&list.url).map_err(|_| ApiError::RouteNotFound)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(list)).into_response())
}
