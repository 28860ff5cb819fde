//! Extractors: JSON bodies, query parameters, and what the path names. Their rejections are [`ApiError`]s.
//! None reaches the database.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_path_to_error::Segment;
use todostack_store::{Collection, Error, ListPlace, Owner, TodoPlace};
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

use crate::{
    error::{ApiError, FieldError},
    links::Links,
    state::AppState,
};

/// More than any todo needs: 1,000 characters of title and 20 tags of 50, all of them escaped.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1_024;

/// How long a body may take to arrive; shorter than the deadline of the whole request.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// A JSON body and the bytes it was parsed from.
#[derive(Debug)]
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType("application/json"));
        }
        let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
        let bytes = match timeout(BODY_TIMEOUT, body).await.map_err(|_| ApiError::RequestTimeout)? {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(ApiError::BodyTooLarge(MAX_BODY_BYTES));
            }
            // The client closed the connection, or sent invalid chunks.
            Err(_) => return Err(ApiError::MalformedJson("it is incomplete".to_owned())),
        };
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// `application/json` or any `+json`, such as `application/merge-patch+json`.
fn is_json(headers: &HeaderMap) -> bool {
    // HTML forms cannot send JSON, so that a page of an origin that CORS rejects cannot post.
    let essence = media_type(headers);
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The `Content-Type` without parameters, in lower case; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Text that is JSON is invalid at a pointer, or valid; only other text is malformed.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let value = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() || is_json_text(bytes) {
            ApiError::Invalid(vec![find_invalid_field::<T>(bytes, &error)])
        } else {
            ApiError::MalformedJson(error.to_string())
        }
    })?;
    // Serde accepts an array as the fields of a struct in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::Invalid(vec![FieldError::new("", "must be an object")]));
    }
    Ok(value)
}

/// Half of a surrogate pair (`"\ud800"`) and a number beyond all floats (`1e999`) are JSON, which serde_json
/// notices when it skips a value, and reports as errors of syntax when it reads one.
fn is_json_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Parses again, recording the path; only errors pay for it.
fn find_invalid_field<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> FieldError {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let pointer = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => error.path().iter().map(reference_token).collect(),
        Ok(_) => String::new(),
    };
    FieldError::new(pointer, error.to_string())
}

/// A step of a JSON pointer (RFC 6901).
fn reference_token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|rejection| {
            let detail = std::error::Error::source(&rejection).map_or_else(String::new, ToString::to_string);
            let (pointer, detail) = detail.split_once(": ").unwrap_or(("", &detail));
            ApiError::parameter(pointer, detail)
        })
    }
}

/// The caller, who owns what the request reads and writes; the empty text when authentication is off.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Owner);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(Owner::from(""))))
    }
}

/// When the token of the request expires. Absent when it never does, or authentication is off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenExpiry(pub(crate) Instant);

/// The query parameter that names a list, where the path names none.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParam {
    /// The number of a list: its todos instead of those of the default list. The same as the path
    /// `/lists/{list}/todos`.
    list: Option<i64>,
}

/// The collection that the path or the parameter `list` names, and the addresses of what is in it. Whether
/// its list exists is answered by the statement that uses it.
#[derive(Debug)]
pub(crate) struct InCollection {
    pub(crate) collection: Collection,
    pub(crate) links: Links,
}

impl FromRequestParts<AppState> for InCollection {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(owner) = Caller::from_request_parts(parts, state).await?;
        let in_path = NumbersInPath::read(parts, state).await?.list;
        let in_path = in_path.map(|list| list.ok_or(Error::ListNotFound)).transpose()?;
        let Params(ListParam { list }) = Params::from_request_parts(parts, state).await?;
        if in_path.is_some() && list.is_some() && in_path != list {
            return Err(ApiError::parameter("list", "must be the list of the path"));
        }
        // Lists are numbered from 1.
        if list.is_some_and(|list| list < 1) {
            return Err(Error::ListNotFound.into());
        }
        let links = Links::from_request_parts(parts, state).await?;
        Ok(Self { collection: Collection { owner, list: in_path.or(list) }, links })
    }
}

/// The todo that the path names, and its address. Whether it exists is answered by the statement that uses
/// it.
#[derive(Debug)]
pub(crate) struct AtTodo {
    pub(crate) place: TodoPlace,
    pub(crate) links: Links,
}

impl FromRequestParts<AppState> for AtTodo {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(owner) = Caller::from_request_parts(parts, state).await?;
        let NumbersInPath { list, id } = NumbersInPath::read(parts, state).await?;
        let list = list.map(|list| list.ok_or(Error::TodoNotFound)).transpose()?;
        let id = id.flatten().ok_or(Error::TodoNotFound)?;
        let links = Links::from_request_parts(parts, state).await?;
        Ok(Self { place: TodoPlace { collection: Collection { owner, list }, id }, links })
    }
}

/// The list that the path names, and its address. Whether it exists is answered by the statement that uses
/// it.
#[derive(Debug)]
pub(crate) struct AtList {
    pub(crate) place: ListPlace,
    pub(crate) links: Links,
}

impl FromRequestParts<AppState> for AtList {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(owner) = Caller::from_request_parts(parts, state).await?;
        let list = NumbersInPath::read(parts, state).await?.list;
        let id = list.flatten().ok_or(Error::ListNotFound)?;
        let links = Links::from_request_parts(parts, state).await?;
        Ok(Self { place: ListPlace { owner, id }, links })
    }
}

/// The outer `None` where the route has no such parameter; the inner one when it is not a number from 1:
/// clients treat addresses as opaque, so what is not a number does not exist.
#[expect(clippy::option_option, reason = "no parameter, no number and a number are three things")]
struct NumbersInPath {
    list: Option<Option<i64>>,
    id: Option<Option<i64>>,
}

impl NumbersInPath {
    async fn read<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::RouteNotFound)?;
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let parameter =
            |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, text)| number(text));
        Ok(Self { list: parameter("list"), id: parameter("id") })
    }
}
