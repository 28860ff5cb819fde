//! What surrounds every request, in order from the outside: identity, measure, deadline, CORS, problem, headers.

mod cors;
mod trace;

use std::time::Duration;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header};
use tokio::time::{Instant, timeout};

use crate::{
    error::{self, ApiError},
    metrics::Answered,
    state::AppState,
};

/// How long a request may take as a whole; the database gives up before.
const DEADLINE: Duration = Duration::from_secs(10);

/// Puts the router inside. Runs after routing, so that the route's template is known.
pub(crate) fn around(router: Router<AppState>, state: AppState) -> Router {
    router.layer(from_fn_with_state(state.clone(), surround)).with_state(state)
}

async fn surround(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace = trace::Trace::of(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let cors = cors::Cors::of(request.headers(), &state.settings);

    let mut response = match timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    };
    if let Some(error) = error::error_of(&response) {
        log(&error, &trace, &method);
        response = error::render(&error, &response, trace.id());
    }
    add_headers(&mut response, &trace);
    cors.mark(&method, &mut response);
    state.metrics.observe(
        Answered { method: &method, route: route.as_ref(), status: response.status() },
        started.elapsed(),
    );
    response
}

fn add_headers(response: &mut Response, trace: &trace::Trace) {
    let headers = response.headers_mut();
    // Todos change at any time; with an ETag, asking again is cheap.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(trace::REQUEST_ID.clone(), trace.header());
}

/// The one place where a failed request is logged; refusals are the client's matter.
fn log(error: &ApiError, trace: &trace::Trace, method: &Method) {
    let status = error.status();
    if status.is_server_error() {
        tracing::error!(
            trace_id = trace.id(),
            http.method = %method,
            http.status = status.as_u16(),
            error = chain(error),
            "Request failed"
        );
    } else {
        tracing::debug!(trace_id = trace.id(), http.status = status.as_u16(), %error, "Request refused");
    }
}

/// The error with its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
