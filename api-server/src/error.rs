//! Every error a client can see, as RFC 9457 has it: one enum, one table from variant to status, type and title.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::AuthError;

/// The types of problems begin with this; they are names, nothing has to answer there.
const TYPE_PREFIX: &str = "https://todostack.dev/problems/";

/// One field, parameter or header that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer (`/title`), or the name of a parameter or header.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// The body is no JSON.
    #[error("The body is not valid JSON: {0}")]
    MalformedJson(String),
    /// A parameter cannot be read.
    #[error("A parameter of the address is wrong.")]
    InvalidParameter(FieldError),
    /// A header cannot be read.
    #[error("A header is wrong.")]
    InvalidHeader(FieldError),
    /// The JSON is not what the operation takes.
    #[error("The body does not describe what this operation takes.")]
    Invalid(Vec<FieldError>),
    /// Nothing is at this address.
    #[error("There is nothing at this address.")]
    RouteNotFound,
    /// The method does nothing here.
    #[error("This address does not take this method; the header Allow lists those it does.")]
    MethodNotAllowed,
    /// The content type is not JSON.
    #[error("The body must be JSON: send Content-Type: application/json.")]
    UnsupportedMediaType,
    /// The body is larger than any todo.
    #[error("The body must have at most {0} bytes.")]
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    #[error("The body did not arrive in time.")]
    RequestTimeout,
    /// The request was not answered in time.
    #[error("The request could not be answered in time.")]
    DeadlineExceeded,
    /// More requests than can be worked on.
    #[error("Too many requests are being worked on; try again in a moment.")]
    Overloaded,
    /// The headers of the request are too long.
    #[error("The headers of a request must have at most {0} bytes.")]
    HeadersTooLarge(usize),
    /// The client has used up its share.
    #[error("You may ask again in {0} s; the header RateLimit-Policy says how often.")]
    RateLimited(u64),
    /// The caller is not known, or may not do this.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The store's refusal or failure.
    #[error(transparent)]
    Store(#[from] todostack_store::Error),
}

/// Status, slug and title of a problem.
type Kind = (StatusCode, &'static str, &'static str);

impl ApiError {
    fn kind(&self) -> Kind {
        match self {
            Self::MalformedJson(_) => (StatusCode::BAD_REQUEST, "malformed-json", "Malformed JSON"),
            Self::InvalidParameter(_) => (StatusCode::BAD_REQUEST, "invalid-parameter", "Invalid parameter"),
            Self::InvalidHeader(_) => (StatusCode::BAD_REQUEST, "invalid-header", "Invalid header"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", "Invalid body"),
            Self::RouteNotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::BodyTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request-timeout", "Request timeout"),
            Self::DeadlineExceeded => {
                (StatusCode::SERVICE_UNAVAILABLE, "deadline-exceeded", "Deadline exceeded")
            }
            Self::Overloaded => OVERLOADED,
            Self::HeadersTooLarge(_) => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "Headers too large")
            }
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Rate limited"),
            Self::Auth(error) => auth_kind(error),
            Self::Store(error) => store_kind(error),
        }
    }

    /// What may be told: the texts of failures stay in the log.
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
            Self::DeadlineExceeded
            | Self::Overloaded
            | Self::Store(todostack_store::Error::KeyInFlight | todostack_store::Error::Overloaded) => 1,
            Self::Store(error) if error.concerns_the_database() => 5,
            _ => return HeaderMap::new(),
        };
        [(header::RETRY_AFTER, HeaderValue::from(seconds))].into_iter().collect()
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }
}

fn challenge(error: &AuthError) -> HeaderMap {
    match error.challenge().map(HeaderValue::try_from) {
        Some(Ok(challenge)) => [(header::WWW_AUTHENTICATE, challenge)].into_iter().collect(),
        Some(Err(_)) => HeaderMap::new(),
        None => [(header::RETRY_AFTER, HeaderValue::from_static("5"))].into_iter().collect(),
    }
}

const OVERLOADED: Kind = (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Overloaded");

fn auth_kind(error: &AuthError) -> Kind {
    match error {
        AuthError::Missing | AuthError::Invalid(_) => {
            (StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized")
        }
        AuthError::Scope(_) => (StatusCode::FORBIDDEN, "insufficient-scope", "Insufficient scope"),
        AuthError::Keys(_) => (StatusCode::SERVICE_UNAVAILABLE, "keys-unavailable", "Keys unavailable"),
    }
}

fn store_kind(error: &todostack_store::Error) -> Kind {
    use todostack_store::Error;
    match error {
        Error::TodoNotFound => (StatusCode::NOT_FOUND, "todo-not-found", "No such todo"),
        Error::ListNotFound => (StatusCode::NOT_FOUND, "list-not-found", "No such list"),
        Error::PreconditionFailed => {
            (StatusCode::PRECONDITION_FAILED, "precondition-failed", "Precondition failed")
        }
        Error::KeyInFlight => {
            (StatusCode::CONFLICT, "idempotency-key-in-flight", "Idempotency key in flight")
        }
        Error::KeyReused => {
            (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "Idempotency key reused")
        }
        Error::Overloaded => OVERLOADED,
        Error::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "database-full", "Database full"),
        Error::Unavailable(_) | Error::TimedOut(_) | Error::LoginRefused(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "database-unavailable", "Database unavailable")
        }
        Error::SchemaOutdated(_) => (StatusCode::SERVICE_UNAVAILABLE, "schema-outdated", "Schema outdated"),
        Error::Migration(_) | Error::Internal(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "Internal error")
        }
    }
}

fn store_detail(error: &todostack_store::Error) -> &'static str {
    use todostack_store::Error;
    match error {
        Error::TodoNotFound => "There is no todo with this number here.",
        Error::ListNotFound => "There is no list with this number.",
        Error::PreconditionFailed => {
            "The todo has another ETag than If-Match says: read it again, then retry."
        }
        Error::KeyInFlight => "A request with this Idempotency-Key is still being worked on.",
        Error::KeyReused => "This Idempotency-Key was used with another request: use a new one.",
        Error::Overloaded => "Too many requests wait for the database; try again in a moment.",
        Error::Full(_) => {
            "The database has no room left: nothing was stored. What is there can be read and deleted."
        }
        Error::Unavailable(_) | Error::TimedOut(_) | Error::LoginRefused(_) => {
            "The database does not answer; try again in a moment."
        }
        Error::SchemaOutdated(_) => "The database has not been migrated to this version yet.",
        Error::Migration(_) | Error::Internal(_) => "Something went wrong here; the log has the trace_id.",
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// What kind of error; stable, for programs.
    #[schema(format = "uri")]
    r#type: String,
    /// The same in words.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What to do about it.
    detail: String,
    /// Where the log speaks of this request.
    trace_id: &'a str,
    /// What is wrong with the request, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// The error is only marked here; [`render`] writes the body, since the trace id is known to the middleware alone.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.headers()).into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The error behind a response, if it is one; a status that axum chose becomes the error that it stands for.
fn error_of(response: &Response) -> Option<Arc<ApiError>> {
    if let Some(error) = response.extensions().get::<Arc<ApiError>>() {
        return Some(Arc::clone(error));
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Arc::new(ApiError::MethodNotAllowed)),
        _ => None,
    }
}

/// Writes the body of a response that is an error, and keeps its headers (Allow, Retry-After, …).
pub(crate) fn render(response: &mut Response, trace_id: &str) -> Option<Arc<ApiError>> {
    let error = error_of(response)?;
    let (status, slug, title) = error.kind();
    let problem = Problem {
        r#type: format!("{TYPE_PREFIX}{slug}"),
        title,
        status: status.as_u16(),
        detail: error.detail(),
        trace_id,
        errors: error.errors(),
    };
    let mut body = axum::Json(problem).into_response();
    *body.status_mut() = status;
    for (name, value) in response.headers() {
        if !is_about_the_body(name) {
            body.headers_mut().append(name, value.clone());
        }
    }
    body.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response = body;
    Some(error)
}

fn is_about_the_body(name: &HeaderName) -> bool {
    name == header::CONTENT_TYPE || name == header::CONTENT_LENGTH
}
