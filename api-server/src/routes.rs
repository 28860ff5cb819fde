//! The whole API on one page. The same lines make the routes and the OpenAPI document; only the path of the
//! document itself is declared in `openapi`, since the document is complete last.

use axum::{
    Router,
    body::Bytes,
    routing::{get, options},
};
use http::{HeaderName, StatusCode, header};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    index, lists,
    middleware::{self, Rules},
    openapi::{self, Document},
    page,
    state::AppState,
    todos,
};

/// The response to OPTIONS; a test compares it with the Allow header of a 405, which axum makes.
macro_rules! allow {
    ($methods:literal) => {
        options(async || (StatusCode::NO_CONTENT, [(header::ALLOW, $methods)]))
    };
    ($methods:literal, $patch:literal) => {
        options(async || {
            let accept_patch = HeaderName::from_static("accept-patch");
            (StatusCode::NO_CONTENT, [(header::ALLOW, $methods), (accept_patch, $patch)])
        })
    };
}

fn todos() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(todos::list::list, todos::create::create, todos::delete_all::delete_all))
        .route("/todos", allow!("GET, HEAD, POST, DELETE, OPTIONS"))
        .routes(routes!(
            todos::get::get,
            todos::replace::replace,
            todos::update::update,
            todos::delete::delete
        ))
        .route(
            "/todos/{id}",
            allow!("GET, HEAD, PUT, PATCH, DELETE, OPTIONS", "application/merge-patch+json"),
        )
        .routes(routes!(todos::export::export))
        .route("/todos/export", allow!("GET, HEAD, OPTIONS"))
}

/// What may take longer than other requests: its body arrives and is stored step by step.
fn imports() -> OpenApiRouter<AppState> {
    let import = || {
        let import = OpenApiRouter::new().routes(routes!(todos::import::import));
        import.route("/todos/import", allow!("POST, OPTIONS"))
    };
    import().nest(openapi::LIST, import())
}

fn events() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(todos::events::events))
        .route("/todos/events", allow!("GET, HEAD, OPTIONS"))
}

fn lists() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(lists::list::list, lists::create::create))
        .route("/lists", allow!("GET, HEAD, POST, OPTIONS"))
        .routes(routes!(lists::get::get, lists::update::update, lists::delete::delete))
        .route("/lists/{list}", allow!("GET, HEAD, PATCH, DELETE, OPTIONS", "application/merge-patch+json"))
        // Every list has the operations of the default list.
        .nest(openapi::LIST, todos())
}

/// What needs no token.
fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(index::get)).route("/", allow!("GET, HEAD, OPTIONS"))
}

/// What needs a token, when authentication is on.
fn protected() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(todos()).merge(events()).merge(lists())
}

/// The routers, each with its rules, and the document of all of them.
fn all() -> ([(Router<AppState>, Rules); 3], Bytes) {
    let (protected, mut document) = protected().split_for_parts();
    let (imports, of_imports) = imports().split_for_parts();
    let (public, of_public) = public().split_for_parts();
    document.merge(of_imports);
    document.merge(of_public);
    let routers = [(protected, Rules::PROTECTED), (imports, Rules::IMPORT), (public, Rules::PUBLIC)];
    (routers, openapi::to_json(document))
}

/// All operations with the middleware. axum answers HEAD by GET.
pub fn api(state: AppState) -> Router {
    let ([(protected, token), (imports, slow), (public, anyone)], document) = all();
    // The handler has a state of its own: the document is known only when all routes are.
    let document = get(openapi::get_document).with_state(document);
    let protected = protected.route("/openapi.json", document.merge(allow!("GET, HEAD, OPTIONS")));
    // The fallback is within the middleware, so that unknown paths are logged and limited too.
    let protected = protected.fallback(async || ApiError::RouteNotFound);
    let public = if state.shared.page.is_some() { public.merge(page::routes()) } else { public };
    middleware::around(protected, token, state.clone())
        .merge(middleware::around(imports, slow, state.clone()))
        .merge(middleware::around(public, anyone, state))
}

pub fn openapi_json() -> Bytes {
    all().1
}
