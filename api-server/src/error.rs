//! Every error that a client can get, as a problem (RFC 9457): one enum, and one table from variant to
//! status, type and title. What is logged is decided in `middleware`.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::AuthError;

/// Prefix of the types of problems, which are names: nothing has to answer at these URLs.
const TYPE_PREFIX: &str = "https://todostack.dev/problems/";

/// An invalid field, parameter or header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (`/title`), or the name of a parameter or header.
    pub pointer: String,
    /// Why it is invalid.
    pub detail: String,
    /// Of an import: the number of the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    pub line: Option<i64>,
}

impl FieldError {
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), line: None }
    }
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    #[error("The body is not valid JSON: {0}")]
    MalformedJson(String),
    #[error("A query parameter is invalid.")]
    InvalidParameter(FieldError),
    #[error("A header is invalid.")]
    InvalidHeader(FieldError),
    #[error("The body is not valid for this operation.")]
    Invalid(Vec<FieldError>),
    #[error("This path does not exist.")]
    RouteNotFound,
    #[error("This path does not support this method; see the header Allow.")]
    MethodNotAllowed,
    /// The media type that is supported.
    #[error("The body must be of another media type: send Content-Type: {0}.")]
    UnsupportedMediaType(&'static str),
    #[error("The body must have at most {0} bytes.")]
    BodyTooLarge(usize),
    #[error("The body did not arrive in time.")]
    RequestTimeout,
    #[error("The request timed out.")]
    DeadlineExceeded,
    #[error("Too many requests are in flight; try again in a moment.")]
    Overloaded,
    #[error("Too many streams of events are open; try again in a moment.")]
    TooManyStreams,
    #[error("This replica is stopping: repeat the request with the same Idempotency-Key.")]
    Draining,
    #[error("The headers of a request must have at most {0} bytes.")]
    HeadersTooLarge(usize),
    /// Seconds until the client may send the next request.
    #[error("Rate limit exceeded: try again in {0} s; see the header RateLimit-Policy.")]
    RateLimited(u64),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Store(#[from] todostack_store::Error),
}

/// Status, slug and title of a problem.
type Kind = (u16, &'static str, &'static str);

impl ApiError {
    fn kind(&self) -> Kind {
        match self {
            Self::MalformedJson(_) => (400, "malformed-json", "Malformed JSON"),
            Self::InvalidParameter(_) => (400, "invalid-parameter", "Invalid parameter"),
            Self::InvalidHeader(_) => (400, "invalid-header", "Invalid header"),
            Self::Invalid(_) => (422, "invalid-body", "Invalid body"),
            Self::RouteNotFound => (404, "not-found", "Not found"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Method not allowed"),
            Self::UnsupportedMediaType(_) => (415, "unsupported-media-type", "Unsupported media type"),
            Self::BodyTooLarge(_) => (413, "body-too-large", "Body too large"),
            Self::RequestTimeout => (408, "request-timeout", "Request timeout"),
            Self::DeadlineExceeded => (503, "deadline-exceeded", "Deadline exceeded"),
            Self::Overloaded => OVERLOADED,
            Self::TooManyStreams => (503, "too-many-streams", "Too many streams"),
            Self::Draining => (503, "draining", "Draining"),
            Self::HeadersTooLarge(_) => (431, "headers-too-large", "Headers too large"),
            Self::RateLimited(_) => (429, "rate-limited", "Rate limited"),
            Self::Auth(error) => auth_kind(error),
            Self::Store(error) => store_kind(error),
        }
    }

    /// For the client: the texts of internal failures stay in the log.
    fn detail(&self) -> String {
        match self {
            Self::Store(error) => store_detail(error).to_owned(),
            other => other.to_string(),
        }
    }

    fn errors(&self) -> Vec<FieldError> {
        match self {
            Self::InvalidParameter(error) | Self::InvalidHeader(error) => vec![error.clone()],
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }

    fn headers(&self) -> HeaderMap {
        let seconds: u64 = match self {
            Self::RateLimited(seconds) => *seconds,
            Self::Auth(error) => return challenge(error),
            // A queue drains within a second; a database that restarts takes longer.
            Self::DeadlineExceeded
            | Self::Overloaded
            | Self::Draining
            | Self::Store(todostack_store::Error::KeyInFlight | todostack_store::Error::Overloaded) => 1,
            // Streams are open for long.
            Self::TooManyStreams => 10,
            Self::Store(error) if error.concerns_the_database() => 5,
            _ => return HeaderMap::new(),
        };
        [(header::RETRY_AFTER, HeaderValue::from(seconds))].into_iter().collect()
    }

    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::InvalidParameter(FieldError::new(name, detail))
    }

    pub fn status(&self) -> StatusCode {
        // All statuses of the table are valid.
        StatusCode::from_u16(self.kind().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn challenge(error: &AuthError) -> HeaderMap {
    match error.challenge().map(HeaderValue::try_from) {
        Some(Ok(challenge)) => [(header::WWW_AUTHENTICATE, challenge)].into_iter().collect(),
        Some(Err(_)) => HeaderMap::new(),
        None => [(header::RETRY_AFTER, HeaderValue::from_static("5"))].into_iter().collect(),
    }
}

const OVERLOADED: Kind = (503, "overloaded", "Overloaded");

fn auth_kind(error: &AuthError) -> Kind {
    match error {
        AuthError::Missing | AuthError::Invalid(_) => (401, "unauthorized", "Unauthorized"),
        AuthError::Scope(_) => (403, "insufficient-scope", "Insufficient scope"),
        AuthError::Keys(_) => (503, "keys-unavailable", "Keys unavailable"),
    }
}

fn store_kind(error: &todostack_store::Error) -> Kind {
    use todostack_store::Error;
    match error {
        Error::TodoNotFound => (404, "todo-not-found", "No such todo"),
        Error::ListNotFound => (404, "list-not-found", "No such list"),
        Error::PreconditionFailed => (412, "precondition-failed", "Precondition failed"),
        Error::KeyInFlight => (409, "idempotency-key-in-flight", "Idempotency key in flight"),
        Error::KeyReused => (422, "idempotency-key-reused", "Idempotency key reused"),
        Error::Overloaded => OVERLOADED,
        Error::Full(_) => (507, "database-full", "Database full"),
        Error::Unavailable(_) | Error::TimedOut(_) | Error::Pooler(..) | Error::LoginRefused(_) => {
            (503, "database-unavailable", "Database unavailable")
        }
        Error::SchemaOutdated(_) => (503, "schema-outdated", "Schema outdated"),
        Error::Migration(_) | Error::Internal(_) => (500, "internal-error", "Internal error"),
    }
}

fn store_detail(error: &todostack_store::Error) -> &'static str {
    use todostack_store::Error;
    match error {
        Error::TodoNotFound => "This todo does not exist.",
        Error::ListNotFound => "This list does not exist.",
        Error::PreconditionFailed => "It does not have an ETag of If-Match: get it again, then retry.",
        Error::KeyInFlight => "A request with this Idempotency-Key is still in progress.",
        Error::KeyReused => "This Idempotency-Key was used with another request: use a new one.",
        Error::Overloaded => "Too many requests wait for the database; try again in a moment.",
        Error::Full(_) => {
            "The database has no space left: nothing was stored. Existing todos can be read and deleted."
        }
        Error::Unavailable(_) | Error::TimedOut(_) | Error::Pooler(..) | Error::LoginRefused(_) => {
            "The database is not available; try again in a moment."
        }
        Error::SchemaOutdated(_) => "The database has not been migrated to this version yet.",
        Error::Migration(_) | Error::Internal(_) => {
            "An internal error occurred: see the log of the service for this trace_id."
        }
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// The kind of error; stable, for programs.
    #[schema(format = "uri")]
    r#type: String,
    /// The kind of error, for users.
    title: &'a str,
    /// The status of the response.
    status: u16,
    /// What is wrong and what to do.
    detail: String,
    /// The id of this request in logs and traces.
    trace_id: &'a str,
    /// The invalid fields, parameters or headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// Only attaches the error; [`render`] writes the body, since only the middleware knows the trace id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.headers()).into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The error behind a response, if it is one; axum itself answers a wrong method.
fn error_of(response: &Response) -> Option<Arc<ApiError>> {
    let not_allowed = || Arc::new(ApiError::MethodNotAllowed);
    let own = response.extensions().get::<Arc<ApiError>>().cloned();
    own.or_else(|| (response.status() == StatusCode::METHOD_NOT_ALLOWED).then(not_allowed))
}

/// Writes the body of a response that is an error, and keeps its headers (Allow, Retry-After, …).
pub(crate) fn render(response: &mut Response, trace_id: &str) -> Option<Arc<ApiError>> {
    let error = error_of(response)?;
    let (status, slug, title) = error.kind();
    let problem = Problem {
        r#type: format!("{TYPE_PREFIX}{slug}"),
        title,
        status,
        detail: error.detail(),
        trace_id,
        errors: error.errors(),
    };
    let mut body = axum::Json(problem).into_response();
    *body.status_mut() = error.status();
    for (name, value) in response.headers() {
        // These two are of the body that is replaced.
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            body.headers_mut().append(name, value.clone());
        }
    }
    body.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response = body;
    Some(error)
}
