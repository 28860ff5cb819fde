//! POST /todos, POST /lists/{list}/todos

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri, State},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest, Sha256};
use todostack_store::{Created, IdempotencyKey, NewTodo, Store};
use utoipa::IntoParams;

use super::{TodoBody, TodoInput};
use crate::{
    error::{ApiError, FieldError},
    etag,
    extract::{InCollection, JsonBody},
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_BYTES: usize = 255;

/// Create a todo
///
/// With an `Idempotency-Key`, a repeated request gets the first response for a day, and creates nothing.
#[utoipa::path(
    post,
    path = "/todos",
    operation_id = "createTodo",
    tag = "todos",
    params(Key),
    request_body = TodoInput,
    responses(
        (status = 201, description = "Created", body = TodoBody,
         headers(("location" = String, description = "The URL of the todo"),
                 ("etag" = String, description = "The version of the todo, for If-Match and If-None-Match"),
                 ("idempotency-replayed" = Option<String>,
                  description = "`true` when this is the response to a repeated request"))),
        (status = 422,
         description = "The body is not a valid todo, or the Idempotency-Key was used with another request"),
        (status = 409, description = "A request with this Idempotency-Key is in progress"),
    )
)]
pub(crate) async fn create(
    State(store): State<Arc<dyn Store>>,
    InCollection { collection, links }: InCollection,
    key: Key,
    body: JsonBody<TodoInput>,
) -> Result<Response, ApiError> {
    let key = key.with_body(&body.bytes);
    let new = NewTodo::try_from(body.value)?;
    let Created { todo, replayed } = store.create_todo(&collection, new, key).await?;
    let etag = etag::for_todo(&todo);
    let todo = TodoBody::new(todo, collection.list, &links);
    // Cannot fail: `links` accepts only characters of URLs.
    let location = HeaderValue::from_str(&todo.url).map_err(|_| ApiError::RouteNotFound)?;
    let mut response =
        (StatusCode::CREATED, [(header::LOCATION, location), (header::ETAG, etag)], Json(todo))
            .into_response();
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The `Idempotency-Key`, and a digest of the path, since the same key at another path is another request.
#[derive(IntoParams)]
#[into_params(names("idempotency-key"), parameter_in = Header)]
pub(crate) struct Key(
    /// A text that is unique to this request, and the same when it is repeated
    #[param(value_type = String, required = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    Option<(String, Sha256)>,
);

impl Key {
    fn with_body(self, body: &[u8]) -> Option<IdempotencyKey> {
        let (key, digest) = self.0?;
        Some(IdempotencyKey { key, fingerprint: digest.chain_update(body).finalize().to_vec() })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(&IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        // The draft demands a quoted string, many clients send a bare one.
        let key = value.to_str().ok().map(|key| key.trim().trim_matches('"'));
        let fits = |key: &&str| {
            (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let Some(key) = key.filter(fits) else {
            return Err(ApiError::InvalidHeader(FieldError {
                pointer: IDEMPOTENCY_KEY.as_str().to_owned(),
                detail: format!("must have 1 to {MAX_KEY_BYTES} visible ASCII characters without spaces"),
            }));
        };
        // Nested routers strip the prefix of a list from `uri`.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Self(Some((key.to_owned(), Sha256::new_with_prefix(uri.path()).chain_update([0])))))
    }
}
