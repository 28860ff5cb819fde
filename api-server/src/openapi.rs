//! The OpenAPI document: what the handlers declare of themselves, completed with what is common to all of
//! them. Knows no routes and no handlers.

use axum::{body::Bytes, extract::State};
use http::{HeaderName, header};
use utoipa::{
    OpenApi, PartialSchema as _,
    openapi::{
        self, ContentBuilder, Header, HeaderBuilder, Object, Ref, RefOr, Required, Response, Schema, Type,
        extensions::Extensions,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        schema::SchemaType,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth,
    error::{FieldError, Problem},
    events::{ListDeletedEvent, ListEvent, TodoDeletedEvent, TodoEvent},
    schemas::Tag,
};

/// The operations on todos below this path are those of one list.
pub(crate) const LIST: &str = "/lists/{list}";

/// The operation that needs no token.
const INDEX: &str = "/";

/// The parts that no handler declares.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TodoStack",
        description = "Todos over REST: the TodoBackend contract, and lists, conditional requests, pages, \
                       idempotent POSTs, import and export beyond it. Every error is a problem (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    tags(
        (name = "todos", description = "Todos of the default list, or of one list"),
        (name = "lists", description = "Lists of todos"),
        (name = "meta", description = "About this service"),
    ),
    components(schemas(Problem, FieldError, Tag, TodoEvent, TodoDeletedEvent, ListEvent, ListDeletedEvent)),
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

/// Errors of any operation. In the document each is a component, to which the operations refer.
const ERRORS: [(&str, &str); 6] = [
    ("401", "With authentication: the token is missing or invalid"),
    ("403", "With authentication: the token lacks the scope"),
    ("429", "With a rate limit: the client sent too many requests"),
    ("431", "The headers are too large"),
    ("500", "Internal error"),
    ("503", "The service or its database is not available"),
];

/// Those of [`ERRORS`] that depend on who calls.
const OF_CALLERS: [&str; 3] = ["401", "403", "429"];

/// Of any operation that writes; a component too.
const WRITE_ERROR: (&str, &str) = ("507", "The database has no space left");

/// Of any operation with a body.
const BODY_ERRORS: [(&str, &str); 4] = [
    ("400", "The body is malformed, or a parameter or a header is invalid"),
    ("408", "The body did not arrive in time"),
    ("413", "The body is too large"),
    ("415", "The content type is another one than that of the body in this document"),
];

/// Headers of responses: name, whether required, statuses (all when empty), description. Each is a component.
const HEADERS: [(&str, bool, &[&str], &str); 6] = [
    ("x-request-id", true, &[], "The id of this request in logs: its own X-Request-Id, else its trace id"),
    ("ratelimit-policy", false, &[], "With a rate limit: the quota of a client"),
    (
        "ratelimit",
        false,
        &[],
        "With a rate limit: the remaining requests of this client, and the seconds until the quota is full",
    ),
    ("www-authenticate", true, &["401", "403"], "The token that is needed"),
    ("retry-after", true, &["409", "429", "503", "507"], "Seconds to wait"),
    ("allow", true, &["405"], "The methods that the path supports"),
];

/// The document of all operations as JSON, its keys sorted.
pub(crate) fn to_json(mut document: openapi::OpenApi) -> Bytes {
    for (path, item) in &mut document.paths.paths {
        let public = path == INDEX;
        let in_list = path.strip_prefix(LIST).is_some_and(|rest| rest.starts_with("/todos"));
        for (scope, operation) in operations(item) {
            if in_list {
                put_in_list(operation);
            }
            // A token, or none when authentication is off.
            let token = (!public).then(|| SecurityRequirement::new("token", [scope]));
            operation.security = Some([SecurityRequirement::default()].into_iter().chain(token).collect());
            let scope = (!public).then_some(scope);
            add_responses(scope, operation);
        }
    }
    add_components(document.components.get_or_insert_default());
    // A value sorts the keys, so that the order of routes does not show.
    let document = serde_json::to_value(&document).unwrap_or_default();
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// The operations of a path, each with the scope that it needs.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let writes = [post, put, patch, delete].map(|operation| (auth::WRITE, operation));
    let all = [(auth::READ, get)].into_iter().chain(writes);
    all.filter_map(|(scope, operation)| Some((scope, operation.as_mut()?)))
}

/// The operations on the todos of one list are those on the default list at another path.
fn put_in_list(operation: &mut Operation) {
    operation.operation_id = operation.operation_id.take().map(|id| format!("{id}InList"));
    let list = ParameterBuilder::new()
        .name("list")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The number of the list"))
        .schema(Some(i64::schema()));
    let parameters = operation.parameters.get_or_insert_default();
    // At the other path, a parameter of the query has this name.
    parameters.retain(|it| !matches!(it, RefOr::T(parameter) if parameter.name == "list"));
    parameters.insert(0, list.build().into());
}

/// `scope` is that of the token, if the operation needs one.
fn add_responses(scope: Option<&str>, operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if operation.request_body.is_some() {
        responses.extend(BODY_ERRORS.map(|(status, text)| (status.to_owned(), Response::new(text).into())));
    }
    for (status, response) in &mut *responses {
        if let RefOr::T(response) = response {
            complete(status, response);
        }
    }
    let errors = ERRORS.into_iter().filter(|(status, _)| scope.is_some() || !OF_CALLERS.contains(status));
    for (status, _) in errors.chain((scope == Some(auth::WRITE)).then_some(WRITE_ERROR)) {
        let shared = Ref::from_response_name(format!("Error{status}"));
        responses.entry(status.to_owned()).or_insert(shared.into());
    }
}

fn add_components(components: &mut openapi::Components) {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
        "With authentication: a JWT of the configured issuer with the scope todos:read for GET, todos:write \
         for other methods. Without, all callers share the same todos.",
    ));
    components.security_schemes.insert("token".to_owned(), SecurityScheme::Http(scheme.build()).into());
    for (status, text) in ERRORS.into_iter().chain([WRITE_ERROR]) {
        let mut response = Response::new(text);
        complete(status, &mut response);
        components.responses.insert(format!("Error{status}"), response.into());
    }
    for (name, required, _, text) in HEADERS {
        components.headers.insert(name.to_owned(), new_header(text, required).into());
    }
}

/// Gives an error the body of a problem, and any response the headers that are common to its status.
fn complete(status: &str, response: &mut Response) {
    if status.starts_with(['4', '5']) {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        response.content = [("application/problem+json".to_owned(), problem.into())].into_iter().collect();
    }
    for own in response.headers.values_mut() {
        if let RefOr::T(Header { description, schema: Some(RefOr::T(Schema::Object(text))), .. }) = own {
            // Handlers declare a header that may be absent as `Option<String>`.
            let required = !matches!(text.schema_type, SchemaType::Array(_));
            *own = new_header(description.as_deref().unwrap_or_default(), required).into();
        }
    }
    for (name, _, statuses, _) in HEADERS {
        if statuses.is_empty() || statuses.contains(&status) {
            let shared = Ref::new(format!("#/components/headers/{name}"));
            response.headers.insert(name.to_owned(), RefOr::Ref(shared));
        }
    }
}

fn new_header(description: &str, required: bool) -> Header {
    // utoipa's header has no field for it.
    let required = Extensions::from_iter([("required", required)]);
    let text = Object::with_type(Type::String);
    HeaderBuilder::new().description(Some(description)).schema(Some(text)).extensions(Some(required)).build()
}
