//! What every request passes. [`surround`] and [`answer`] are the steps in their order; each step is a file
//! below.

mod admit;
mod compress;
mod cors;
mod headers;
mod limit;
pub(crate) mod log;
mod record;
mod trace;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{Method, header};
use tokio::time::{Instant, timeout};

pub use self::cors::AllowedOrigin;
use self::{cors::Cors, trace::Trace};
use crate::{
    auth::Identity,
    error::{self, ApiError},
    extract::{Caller, TokenExpiry},
    metrics::Answered,
    state::{AppState, Shared},
};

/// Whether a request needs a token, when authentication is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Token,
    /// Nor is the rate limit taken into account: a constant response costs no more than a rejection, and a
    /// browser that opens the page asks for all of its files at once.
    Anyone,
}

/// What differs between routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    access: Access,
    /// How long a request may take as a whole; statements of the database time out before.
    deadline: Duration,
}

impl Rules {
    pub(crate) const PUBLIC: Self = Self { access: Access::Anyone, deadline: Duration::from_secs(10) };
    pub(crate) const PROTECTED: Self = Self { access: Access::Token, deadline: Duration::from_secs(10) };
    /// Of what reads a large body: 64 MiB over a slow line. It continues where it was cut.
    pub(crate) const IMPORT: Self = Self { access: Access::Token, deadline: Duration::from_mins(10) };
}

/// Adds the middleware to the router. It runs after routing, so that the template of the route is known.
pub(crate) fn around(router: Router<AppState>, rules: Rules, state: AppState) -> Router {
    let steps = from_fn_with_state((Arc::clone(&state.shared), rules), surround);
    router.layer(steps).with_state(state)
}

/// Identify, answer, compress, render an error, add headers, record. One function instead of a stack of
/// layers, since each layer of axum boxes every request once more.
async fn surround(
    State((shared, rules)): State<(Arc<Shared>, Rules)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let trace = Trace::from_headers(request.headers());
    let cors = Cors::from_headers(request.headers(), &shared.settings);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let accepted = request.headers().get(header::ACCEPT_ENCODING).cloned();

    // Admission and authentication count too: fetching keys may take as long as the database.
    let answer = answer(&shared, rules.access, request, next);
    let mut response = match timeout(rules.deadline, answer).await {
        Ok(response) => compress::compress(response, accepted),
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    };

    // After all steps that may fail: the body of an error needs the trace id, which they do not know.
    let error = error::render(&mut response, trace.id());
    headers::add(&mut response, &trace);
    // Errors included, or a browser would hide them from the page.
    cors.add_headers(&method, &mut response);
    let (status, took) = (response.status(), started.elapsed());
    let answered = Answered { method: &method, route: route.as_ref(), status, took };
    record::record(&shared, answered, &trace, error.as_deref());
    response
}

/// Admit, authenticate, limit, run: the cheapest check first.
async fn answer(shared: &Shared, access: Access, mut request: Request, next: Next) -> Response {
    let _permit = match admit::admit(shared, request.headers()) {
        Ok(permit) => permit,
        Err(error) => return error.into_response(),
    };
    // Browsers send no token with a preflight.
    if access == Access::Anyone || request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let caller = match &shared.auth {
        Some(auth) => auth.identify(request.headers(), request.method()).await.map(Some),
        None => Ok(None),
    };
    // `None` when authentication is off.
    let caller = caller.map_err(ApiError::from);
    // Before an invalid token is rejected, so that guesses count too.
    let subject = caller.as_ref().ok().and_then(Option::as_ref).map(|identity| &identity.subject);
    let quota = limit::take(shared, subject, &request);
    let mut response = match quota.check().and(caller) {
        Ok(identity) => {
            if let Some(Identity { subject, expires }) = identity {
                request.extensions_mut().insert(Caller(subject));
                if let Some(expires) = expires {
                    request.extensions_mut().insert(TokenExpiry(expires));
                }
            }
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    // Rejected requests included, so that clients see when to retry.
    quota.add_headers(&mut response);
    response
}
