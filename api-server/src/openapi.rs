//! The OpenAPI document: what the handlers declare of themselves, completed with what is common to all of
//! them. Knows no routes and no handlers.

mod errors;
mod headers;
mod lists;
mod parameters;

use axum::{body::Bytes, extract::State};
use http::{HeaderName, header};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        path::{HttpMethod, Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth,
    error::{FieldError, Problem},
    schemas::Tag,
};

/// The operations on todos below this path are those of one list.
pub(crate) const LIST: &str = "/lists/{list}";

/// The parts that no handler declares.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TodoStack",
        description = "Todos over REST: the TodoBackend contract, and lists, conditional requests, pages and \
                       idempotent POSTs beyond it. Every error is a problem (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    tags(
        (name = "todos", description = "Todos of the default list, or of one list"),
        (name = "lists", description = "Lists of todos"),
        (name = "meta", description = "About this service"),
    ),
    components(schemas(Problem, FieldError, Tag)),
    paths(get_document),
)]
pub(crate) struct Document;

/// Get the OpenAPI document
///
/// OpenAPI 3.1, for generators of clients and tests.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "meta",
    responses(
        (status = 200, description = "The document", body = serde_json::Value, content_type = "application/json"),
    )
)]
pub(crate) async fn get_document(State(document): State<Bytes>) -> ([(HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], document)
}

/// The document of all operations as JSON, its keys sorted.
pub(crate) fn to_json(mut document: openapi::OpenApi) -> Bytes {
    // Errors before headers, which are added to the responses of errors too.
    let modifiers: [&dyn Modify; 5] =
        [&lists::OneList, &parameters::NotNull, &Security, &errors::CommonErrors, &headers::CommonHeaders];
    for modifier in modifiers {
        modifier.modify(&mut document);
    }
    // A value sorts the keys, so that the order of routes does not show.
    let document = serde_json::to_value(&document).unwrap_or_default();
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// Every operation needs a token, or none when authentication is off.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
            "With authentication: a JWT of the configured issuer with the scope todos:read for GET, todos:write \
             for other methods. Without, all callers share the same todos.",
        ));
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert("token".to_owned(), SecurityScheme::Http(scheme.build()).into());
        for (method, operation) in document.paths.paths.values_mut().flat_map(operations) {
            let scope = if method == HttpMethod::Get { auth::READ } else { auth::WRITE };
            let token = SecurityRequirement::new("token", [scope]);
            operation.security = Some(vec![SecurityRequirement::default(), token]);
        }
    }
}

/// The operations of a path, each with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    [
        (HttpMethod::Get, get),
        (HttpMethod::Post, post),
        (HttpMethod::Put, put),
        (HttpMethod::Patch, patch),
        (HttpMethod::Delete, delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
