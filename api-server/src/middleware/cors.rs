//! CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>). A preflight allows the methods in the `Allow`
//! header of the route.
//!
//! By hand, since tower-http's layer answers every OPTIONS itself, without the `Allow` that a plain OPTIONS
//! is sent for.

mod origin;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, header};

pub use self::origin::AllowedOrigin;
use crate::state::Settings;

const ALLOWED_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, traceparent";
const EXPOSED_HEADERS: &str = "content-disposition, etag, idempotency-replayed, link, location, ratelimit, \
                               ratelimit-policy, retry-after, x-request-id";
/// Seconds for which browsers cache the answer to a preflight.
const MAX_AGE: &str = "600";

#[derive(Debug)]
pub(crate) struct Cors {
    /// The value of `Access-Control-Allow-Origin`; `None` without `Origin`, or when the origin is not
    /// allowed.
    allow: Option<HeaderValue>,
    /// Whether the response depends on the origin.
    varies: bool,
    preflight: bool,
}

impl Cors {
    pub(crate) fn from_headers(headers: &HeaderMap, settings: &Settings) -> Self {
        let allowed = &settings.cors_allowed_origins;
        let allow = headers.get(header::ORIGIN).and_then(|origin| {
            if allowed.is_empty() {
                return Some(HeaderValue::from_static("*"));
            }
            allowed.iter().any(|allowed| allowed.matches(origin.as_bytes())).then(|| origin.clone())
        });
        Self {
            allow,
            varies: !allowed.is_empty(),
            preflight: headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    pub(crate) fn add_headers(self, method: &Method, response: &mut Response) {
        let headers = response.headers_mut();
        if method == Method::OPTIONS && self.preflight && self.allow.is_some() {
            if let Some(allow) = headers.get(header::ALLOW).cloned() {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            }
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        }
        // Otherwise a shared cache would answer one origin with the headers of another one.
        if self.varies {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allow);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
        }
    }
}
