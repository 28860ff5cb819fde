//! POST /lists

use std::sync::Arc;

use axum::{extract::State, response::Response};
use todostack_store::{Created, NewList, Store};

use super::{ListBody, ListInput};
use crate::{
    error::ApiError,
    etag,
    extract::{Caller, JsonBody},
    idempotency::{self, Key},
    links::Links,
};

/// Create a list
///
/// With an `Idempotency-Key`, a repeated request gets the first response for a day, and creates nothing.
#[utoipa::path(
    post,
    path = "/lists",
    operation_id = "createList",
    tag = "lists",
    params(Key),
    request_body = ListInput,
    responses(
        (status = 201, description = "Created", body = ListBody,
         headers(("location" = String, description = "The URL of the list"),
                 ("etag" = String, description = "The version of the list, for If-Match and If-None-Match"),
                 ("idempotency-replayed" = Option<String>,
                  description = "`true` when this is the response to a repeated request"))),
        (status = 422,
         description = "The body is not a valid list, or the Idempotency-Key was used with another request"),
        (status = 409, description = "A request with this Idempotency-Key is in progress"),
    )
)]
pub(crate) async fn create(
    State(store): State<Arc<dyn Store>>,
    (Caller(owner), links): (Caller, Links),
    key: Key,
    body: JsonBody<ListInput>,
) -> Result<Response, ApiError> {
    let key = key.with_body(&body.bytes);
    let Created { stored, replayed } = store.create_list(&owner, NewList::try_from(body.value)?, key).await?;
    let etag = etag::for_list(&stored);
    let list = ListBody::new(stored, &links);
    idempotency::created(&list, &list.url, etag, replayed)
}
