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

use super::{TodoBody, TodoInput};
use crate::{
    error::{ApiError, FieldError},
    etag,
    extract::{InCollection, JsonBody},
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_BYTES: usize = 255;

/// Make a todo
///
/// With an `Idempotency-Key`, repetitions within a day answer what the first did, and make nothing.
#[utoipa::path(
    post,
    path = "/todos",
    operation_id = "createTodo",
    tag = "todos",
    params(("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Any text that the client makes up for this request and sends again with its repetitions")),
    request_body = TodoInput,
    responses(
        (status = 201, description = "Made", body = TodoBody,
         headers(("location" = String, description = "Its address"),
                 ("etag" = String, description = "Its version, for If-Match and If-None-Match"),
                 ("idempotency-replayed" = Option<String>, description = "`true` when this answers a repetition"))),
        (status = 422, description = "The body describes no todo, or the Idempotency-Key was used with another request"),
        (status = 409, description = "A request with this Idempotency-Key is being worked on"),
    )
)]
pub(crate) async fn create(
    State(store): State<Arc<dyn Store>>,
    InCollection { collection, links }: InCollection,
    key: Key,
    body: JsonBody<TodoInput>,
) -> Result<Response, ApiError> {
    let key = key.of_body(&body.bytes);
    let new = NewTodo::try_from(body.value)?;
    let Created { todo, replayed } = store.create_todo(&collection, new, key).await?;
    let etag = etag::of(&todo);
    let todo = TodoBody::new(todo, collection.list, &links);
    let location = HeaderValue::from_str(&todo.url).map_err(|_| ApiError::RouteNotFound)?;
    let mut response =
        (StatusCode::CREATED, [(header::LOCATION, location), (header::ETAG, etag)], Json(todo))
            .into_response();
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The `Idempotency-Key`, and a digest of the path, since the same key at another address is another request.
pub(crate) struct Key(Option<(String, Sha256)>);

impl Key {
    fn of_body(self, body: &[u8]) -> Option<IdempotencyKey> {
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
        // The draft wants a quoted string, practice sends a bare one.
        let key = value.to_str().ok().map(|key| key.trim().trim_matches('"'));
        let fits = |key: &&str| {
            (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let Some(key) = key.filter(fits) else {
            return Err(ApiError::InvalidHeader(FieldError {
                pointer: IDEMPOTENCY_KEY.as_str().to_owned(),
                detail: "must have 1 to 255 visible ASCII characters without spaces".to_owned(),
            }));
        };
        // That of a list's todos has been cut by the router.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Self(Some((key.to_owned(), Sha256::new_with_prefix(uri.path()).chain_update([0])))))
    }
}
