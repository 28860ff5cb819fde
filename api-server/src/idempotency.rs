//! `Idempotency-Key` of a POST, and the response of one that creates something. Keys are kept by the store.

use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use serde::Serialize;
use sha2::{Digest, Sha256};
use todostack_store::IdempotencyKey;
use utoipa::IntoParams;

use crate::error::{ApiError, FieldError};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_BYTES: usize = 255;

/// The `Idempotency-Key`, and a digest of the path, since the same key at another path is another request.
#[derive(IntoParams)]
#[into_params(names("idempotency-key"), parameter_in = Header)]
pub(crate) struct Key(
    /// A text that is unique to this request, and the same when it is repeated
    #[param(value_type = String, required = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    Option<(String, Sha256)>,
);

impl Key {
    pub(crate) fn with_body(self, body: &[u8]) -> Option<IdempotencyKey> {
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
            let detail = format!("must have 1 to {MAX_KEY_BYTES} visible ASCII characters without spaces");
            return Err(invalid(detail));
        };
        // Nested routers strip the prefix of a list from `uri`.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Self(Some((key.to_owned(), Sha256::new_with_prefix(uri.path()).chain_update([0])))))
    }
}

/// The key of a request that must have one.
#[derive(IntoParams)]
#[into_params(names("idempotency-key"), parameter_in = Header)]
pub(crate) struct RequiredKey(
    /// A text that is unique to this request, and the same when it is repeated
    #[param(value_type = String, required = true, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub(crate) (String, Sha256),
);

impl<S: Send + Sync> FromRequestParts<S> for RequiredKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Key(key) = Key::from_request_parts(parts, state).await?;
        key.map(Self).ok_or_else(|| invalid("is missing: only with a key can the request be repeated safely"))
    }
}

fn invalid(detail: impl Into<String>) -> ApiError {
    ApiError::InvalidHeader(FieldError::new(IDEMPOTENCY_KEY.as_str(), detail))
}

/// 201 with the address and the ETag of what was created.
pub(crate) fn created(
    body: impl Serialize,
    url: &str,
    etag: HeaderValue,
    replayed: bool,
) -> Result<Response, ApiError> {
    // Cannot fail: `links` accepts only characters of URLs.
    let location = HeaderValue::from_str(url).map_err(|_| ApiError::RouteNotFound)?;
    let headers = [(header::LOCATION, location), (header::ETAG, etag)];
    Ok(mark_replayed((StatusCode::CREATED, headers, Json(body)).into_response(), replayed))
}

/// Marks the response to a request that created nothing, since it is a repetition.
pub(crate) fn mark_replayed(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    response
}
