//! The page for browsers: how it is served. The page itself is in `page/` beside `src/`.

mod assets;
pub(crate) mod negotiation;
mod policy;
mod representation;

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

use self::{assets::ASSETS, representation::Representation};
use crate::{error::ApiError, etag::IfNoneMatch, state::AppState};

/// Without expiry, since another content has another address.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
/// What was not found may be there a moment later: during an upgrade, replicas have two versions.
const NOT_STORED: HeaderValue = HeaderValue::from_static("no-store");

/// The configuration of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageSettings {
    /// `None`: people have no way to log in, and need none when authentication is off.
    pub login: Option<Login>,
}

/// How people log in: OpenID Connect, authorization code with PKCE. The page itself is a public client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// The URL of the issuer, below which its discovery document is.
    pub issuer: String,
    /// The audience that tokens must have.
    pub audience: String,
    /// The client id of the page.
    pub client_id: String,
    /// Separated by spaces.
    pub scope: String,
    /// The origins of the issuer's endpoints.
    #[serde(skip)]
    pub origins: Vec<String>,
}

/// What the page asks for when it starts.
#[derive(Clone, Debug, Serialize)]
struct Configuration {
    version: &'static str,
    login: Option<Login>,
}

/// The page with the settings of this service.
#[derive(Debug)]
pub struct Page {
    html: Representation,
    content_security_policy: HeaderValue,
    configuration: Configuration,
}

impl Page {
    pub(crate) fn new(settings: &PageSettings) -> Self {
        let html = assets::html();
        let login = settings.login.clone();
        let origins = login.as_ref().map_or(&[][..], |login| &login.origins);
        Self {
            content_security_policy: policy::content_security_policy(&html, origins),
            configuration: Configuration { version: env!("CARGO_PKG_VERSION"), login },
            html: Representation::new("text/html; charset=utf-8", html.into_bytes().into()),
        }
    }

    pub(crate) fn html(&self, headers: &HeaderMap, known: &IfNoneMatch) -> Response {
        let mut response = self.html.respond(headers, known, REVALIDATED);
        let policy = self.content_security_policy.clone();
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
        // The login leaves the page and returns to it: it needs no window of another origin.
        let opener = HeaderValue::from_static("same-origin");
        response.headers_mut().insert("cross-origin-opener-policy", opener);
        response
    }
}

/// What the page loads. The page is at `/`, since it is the index of browsers.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/page.json", get(configuration)).route("/page/{version}/{*file}", get(asset))
}

async fn configuration(State(state): State<AppState>) -> Result<Response, ApiError> {
    let page = state.shared.page.as_ref().ok_or(ApiError::RouteNotFound)?;
    Ok(Json(&page.configuration).into_response())
}

async fn asset(
    Path((version, file)): Path<(String, String)>,
    headers: HeaderMap,
    known: IfNoneMatch,
) -> Response {
    match ASSETS.find(&version, &file) {
        Some(asset) => {
            let mut response = asset.respond(&headers, &known, IMMUTABLE);
            if file == assets::WORKER {
                // Of the page, two folders above.
                let scope = HeaderValue::from_static("../../");
                response.headers_mut().insert("service-worker-allowed", scope);
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy::WORKER);
            }
            response
        }
        None => ([(header::CACHE_CONTROL, NOT_STORED)], ApiError::RouteNotFound).into_response(),
    }
}
