//! The log lines about requests. They never contain the query, the body or the token.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use super::trace::Trace;
use crate::{
    chain::chain,
    error::ApiError,
    metrics::{Answered, method_label},
};

/// The error of a failed request is in the line; that of a rejected one, which may quote the request, only at
/// debug.
pub(crate) fn answered(answered: Answered<'_>, trace: &Trace, error: Option<&ApiError>) {
    let Answered { method, route, status, took } = answered;
    let (method, route) = (method_label(method), route.map(MatchedPath::as_str));
    match error {
        Some(error) if status.is_server_error() => tracing::error!(
            trace_id = trace.id(),
            request_id = trace.request_id(),
            http.method = method,
            http.route = route,
            http.status = status.as_u16(),
            duration_us = microseconds(took),
            error = chain(error),
            "Request failed"
        ),
        error => {
            tracing::info!(
                trace_id = trace.id(),
                request_id = trace.request_id(),
                http.method = method,
                http.route = route,
                http.status = status.as_u16(),
                duration_us = microseconds(took),
                "Request answered"
            );
            if let Some(error) = error {
                tracing::debug!(trace_id = trace.id(), %error, "Request rejected");
            }
        }
    }
}

/// At debug, since the kubelet sends a probe every few seconds.
pub(crate) async fn probe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    tracing::debug!(
        http.method = method,
        http.route = route.as_ref().map(MatchedPath::as_str),
        http.status = response.status().as_u16(),
        duration_us = microseconds(started.elapsed()),
        "Probe answered"
    );
    response
}

fn microseconds(took: Duration) -> u64 {
    took.as_micros().try_into().unwrap_or(u64::MAX)
}
