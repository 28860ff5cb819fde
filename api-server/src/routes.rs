//! The whole API on one page.

use axum::{Router, routing::get};
use http::{HeaderName, StatusCode, header};

use crate::{error::ApiError, lists, middleware, state::AppState, todos};

/// The answer to OPTIONS; a test holds it against the Allow header of a 405, which axum makes.
macro_rules! allow {
    ($methods:literal) => {
        async || (StatusCode::NO_CONTENT, [(header::ALLOW, $methods)])
    };
    ($methods:literal, $patch:literal) => {
        async || {
            let accept_patch = HeaderName::from_static("accept-patch");
            (StatusCode::NO_CONTENT, [(header::ALLOW, $methods), (accept_patch, $patch)])
        }
    };
}

/// All operations, with everything that surrounds them. HEAD follows from GET.
pub fn api(state: AppState) -> Router {
    let collection = || {
        get(todos::list::list)
            .post(todos::create::create)
            .delete(todos::clear::clear)
            .options(allow!("GET, HEAD, POST, DELETE, OPTIONS"))
    };
    let one = || {
        get(todos::get::get)
            .put(todos::replace::replace)
            .patch(todos::update::update)
            .delete(todos::delete::delete)
            .options(allow!("GET, HEAD, PUT, PATCH, DELETE, OPTIONS", "application/merge-patch+json"))
    };
    let router = Router::new()
        .route("/todos", collection())
        .route("/todos/{id}", one())
        .route(
            "/lists",
            get(lists::all::all).post(lists::create::create).options(allow!("GET, HEAD, POST, OPTIONS")),
        )
        .route(
            "/lists/{list}",
            get(lists::get::get).delete(lists::delete::delete).options(allow!("GET, HEAD, DELETE, OPTIONS")),
        )
        .route("/lists/{list}/todos", collection())
        .route("/lists/{list}/todos/{id}", one())
        .fallback(async || ApiError::RouteNotFound);
    middleware::around(router, state)
}
