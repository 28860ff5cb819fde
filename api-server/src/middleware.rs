//! What surrounds every request, in order from the outside: identity, measure, CORS, problem, headers, deadline;
//! then size, load, token, rate. Metric, line of the log and span come last.

mod cors;
pub(crate) mod log;
mod trace;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header};
use todostack_store::Owner;
use tokio::time::{Instant, timeout};

use crate::{
    auth::AuthError,
    chain::chain,
    error::{self, ApiError},
    extract::Caller,
    metrics::{Answered, method_label},
    otlp::Span,
    rate,
    state::{AppState, Shared},
};

/// How long a request may take as a whole; the database gives up before.
const DEADLINE: Duration = Duration::from_secs(10);

/// All headers of a request together. The server reads more, so that the refusal can be a problem like all others.
const MAX_HEADER_BYTES: usize = 16 * 1_024;

/// Puts the router inside. Runs after routing, so that the route's template is known.
pub(crate) fn around(router: Router<AppState>, state: AppState) -> Router {
    router.layer(from_fn_with_state(Arc::clone(&state.shared), surround)).with_state(state)
}

async fn surround(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace = trace::Trace::of(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let cors = cors::Cors::of(request.headers(), &shared.settings);

    let mut response = match timeout(DEADLINE, admit(&shared, request, next)).await {
        Ok(response) => response,
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    };
    let error = error::error_of(&response);
    if let Some(error) = &error {
        response = error::render(error, &response, trace.id());
    }
    add_headers(&mut response, &trace);
    cors.mark(&method, &mut response);
    let answered = Answered { method: &method, route: route.as_ref(), status: response.status() };
    let took = started.elapsed();
    shared.metrics.observe(answered, took);
    log::answered(answered, took, &trace, error.as_deref());
    if let Some(spans) = shared.spans.as_ref().filter(|_| trace.is_sampled()) {
        spans.push(span(&trace, answered, took, error.as_deref()));
    }
    response
}

/// What a request must pass before it is worked on, the cheapest first.
async fn admit(shared: &Shared, request: Request, next: Next) -> Response {
    let size: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADER_BYTES {
        return ApiError::HeadersTooLarge(MAX_HEADER_BYTES).into_response();
    }
    let Ok(_permit) = shared.in_flight.try_acquire() else {
        return ApiError::Overloaded.into_response();
    };
    // Browsers send no token with a preflight.
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let subject = match &shared.auth {
        None => None,
        Some(auth) => Some(auth.identify(request.headers(), request.method()).await),
    };
    let Some(rate) = &shared.rate else {
        return run_as(subject, request, next).await;
    };
    let client = if let Some(Ok(subject)) = &subject {
        rate::Client::Subject(subject.clone())
    } else {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        rate::Client::by_address(peer, request.headers(), shared.settings.trusted_proxy_hops)
    };
    let taken = rate.take(&client);
    let mut response = match taken {
        Ok(_) => run_as(subject, request, next).await,
        Err(rate::Empty { retry_after }) => ApiError::RateLimited(retry_after).into_response(),
    };
    rate.mark(taken, &mut response);
    response
}

async fn run_as(subject: Option<Result<Owner, AuthError>>, mut request: Request, next: Next) -> Response {
    match subject {
        None => {}
        Some(Ok(subject)) => {
            request.extensions_mut().insert(Caller(subject));
        }
        Some(Err(error)) => return ApiError::from(error).into_response(),
    }
    next.run(request).await
}

fn span(trace: &trace::Trace, answered: Answered<'_>, took: Duration, error: Option<&ApiError>) -> Span {
    let Answered { method, route, status } = answered;
    Span {
        trace_id: trace.id().to_owned(),
        id: trace::span_id(),
        parent_id: trace.parent_id().to_owned(),
        method: method_label(method),
        route: route.map(|route| route.as_str().to_owned()),
        status: status.as_u16(),
        took,
        error: error.filter(|_| status.is_server_error()).map(|error| chain(error)),
    }
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
