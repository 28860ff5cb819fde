//! Headers that every response has, unless its handler has set them. Those of CORS are in `cors`, those of
//! the rate limit in `limit`.

use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

use super::trace::{self, Trace};

static CONSTANT: [(HeaderName, HeaderValue); 4] = [
    // Todos change at any time; with an ETag, revalidation is cheap.
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    // The next three are for browsers that open a response as a page: titles may hold HTML.
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

pub(super) fn add(response: &mut Response, trace: &Trace) {
    let headers = response.headers_mut();
    for (name, value) in &CONSTANT {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    headers.insert(trace::REQUEST_ID.clone(), trace.header());
}
