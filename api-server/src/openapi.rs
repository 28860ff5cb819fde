//! The OpenAPI document: what the handlers say of themselves, completed with what surrounds all of them.

use std::sync::LazyLock;

use axum::body::Bytes;
use http::header;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;

use crate::error::{FieldError, Problem};

/// Under it, the operations on todos are those of one list.
pub(crate) const LIST: &str = "/lists/{list}";

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(crate::routes::openapi_json);

/// This document
///
/// OpenAPI 3.1, for programs that write clients or tests.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "meta",
    responses((status = 200, description = "The document", body = serde_json::Value, content_type = "application/json"))
)]
pub(crate) async fn document() -> ([(header::HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

/// Errors that any operation may answer with, besides its own; in the document each stands once. [`FULL`] is of those that write.
const COMMON_ERRORS: [(&str, &str); 7] = [
    ("401", "With authentication: no token, or one that is not valid"),
    ("403", "With authentication: the token lacks the scope"),
    ("429", "With a rate limit: the client asked too often"),
    ("431", "The headers are longer than 16 KiB"),
    ("500", "Something went wrong in the service"),
    ("503", "The service or its database cannot answer now"),
    (FULL, "The database has no room left"),
];
const FULL: &str = "507";

/// Errors that any operation with a body may answer with.
const BODY_ERRORS: [(&str, &str); 4] = [
    ("400", "The body is no JSON, or a header cannot be read"),
    ("408", "The body did not arrive in time"),
    ("413", "The body is larger than 64 KiB"),
    ("415", "The body is not announced as JSON"),
];

/// Headers that any answer has: name, whether always, and what it says.
const COMMON_HEADERS: [(&str, bool, &str); 3] = [
    (
        "x-request-id",
        true,
        "The id of this request, as in the log: the one that it came with, else its trace id",
    ),
    ("ratelimit-policy", false, "With a rate limit: how often a client may ask"),
    (
        "ratelimit",
        false,
        "With a rate limit: how often this client may still ask, and seconds until all of it again",
    ),
];

/// Headers that errors of some statuses have.
const ERROR_HEADERS: [(&str, &str, &[&str]); 3] = [
    ("www-authenticate", "Which token is needed", &["401", "403"]),
    ("retry-after", "Seconds to wait", &["409", "429", "503", "507"]),
    ("allow", "The methods that the address takes", &["405"]),
];

/// Adds what the handlers need not repeat.
pub(crate) fn complete(generated: &utoipa::openapi::OpenApi) -> Bytes {
    let mut document = serde_json::to_value(generated).unwrap_or_default();
    for (path, item) in members(&mut document, "paths") {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete_operation(path, method, operation);
        }
    }
    set(&mut document, "info", info());
    set(&mut document, "servers", json!([{"url": "/"}]));
    set(&mut document, "tags", tags());
    if let Some(components) = document.get_mut("components") {
        complete_components(components);
    }
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

fn info() -> Value {
    json!({
        "title": "TodoStack",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Todos over REST: the TodoBackend contract, and lists, conditions, pages and idempotent POSTs \
                        beyond it. Every error is a problem (RFC 9457).",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    })
}

fn tags() -> Value {
    json!([
        {"name": "todos", "description": "Todos of the default list, or of one list"},
        {"name": "lists", "description": "Lists of todos"},
        {"name": "meta", "description": "About this service"},
    ])
}

fn complete_components(components: &mut Value) {
    let scheme = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "Where the service has authentication: a JWT of its issuer with the scope todos:read for GET, \
                        todos:write for the rest. Else there is one list that everybody shares."});
    set(components, "securitySchemes", json!({"token": scheme}));
    let common = COMMON_HEADERS.map(|(name, always, what)| (name.to_owned(), header_of(what, always)));
    let of_errors = ERROR_HEADERS.map(|(name, what, _)| (name.to_owned(), header_of(what, true)));
    set(components, "headers", Value::Object(common.into_iter().chain(of_errors).collect()));
    let responses = COMMON_ERRORS.map(|(status, what)| {
        let mut response = json!({"description": what});
        complete_response(status, &mut response);
        (format!("Error{status}"), response)
    });
    set(components, "responses", Value::Object(responses.into_iter().collect()));
    if let Some(schemas) = components.get_mut("schemas") {
        set(schemas, "Problem", serde_json::to_value(Problem::schema()).unwrap_or_default());
        set(schemas, "FieldError", serde_json::to_value(FieldError::schema()).unwrap_or_default());
    }
    for (_, schema) in members(components, "schemas") {
        for (name, property) in members(schema, "properties") {
            if let Some(property) = property.as_object_mut() {
                // Serde's default for what is absent, which is no value that a client could send.
                property.remove("default");
                if name == "tags" {
                    property.insert("uniqueItems".to_owned(), json!(true));
                }
                // A format is heeded by few programs where more than one type is allowed.
                if name == "dueDate" {
                    property.remove("type");
                    property.remove("format");
                    let date = json!({"type": "string", "format": "date"});
                    property.insert("anyOf".to_owned(), json!([date, {"type": "null"}]));
                }
            }
        }
    }
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let scope = if method == "get" { "todos:read" } else { "todos:write" };
    set(operation, "security", json!([{}, {"token": [scope]}]));
    if path.strip_prefix(LIST).is_some_and(|rest| rest.starts_with("/todos")) {
        put_in_list(operation);
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        // A parameter that may be left out is not one that may be null.
        if let Some(kind) = parameter.pointer_mut("/schema/type")
            && let Some(only) = kind.get(0).cloned()
        {
            *kind = only;
        }
    }
    if operation.get("requestBody").is_some()
        && let Some(Value::Object(responses)) = operation.get_mut("responses")
    {
        let errors = BODY_ERRORS.map(|(status, what)| (status.to_owned(), json!({"description": what})));
        responses.extend(errors);
    }
    for (status, response) in members(operation, "responses") {
        complete_response(status, response);
    }
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for (status, _) in COMMON_ERRORS.into_iter().filter(|(status, _)| *status != FULL || method != "get")
        {
            let shared = json!({"$ref": format!("#/components/responses/Error{status}")});
            responses.entry(status).or_insert(shared);
        }
    }
}

/// The operation on the default list, made one on the list in its address.
fn put_in_list(operation: &mut Value) {
    if let Some(Value::String(id)) = operation.get_mut("operationId") {
        id.push_str("InList");
    }
    let list = json!({"name": "list", "in": "path", "required": true, "description": "The number of the list",
        "schema": {"type": "integer", "format": "int64"}});
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.insert(0, list),
        None => set(operation, "parameters", json!([list])),
    }
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        responses.entry("404").or_insert_with(|| json!({"description": "No such list"}));
    }
}

fn complete_response(status: &str, response: &mut Value) {
    if status.starts_with(['4', '5']) {
        let problem = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
        set(response, "content", json!({"application/problem+json": problem}));
    }
    // The generator knows no required headers; a nullable type says which are not.
    let own = members(response, "headers").map(|(name, header)| {
        let always = !header.pointer("/schema/type").is_some_and(Value::is_array);
        let what = header.get("description").and_then(Value::as_str).unwrap_or_default();
        (name.clone(), header_of(what, always))
    });
    let mut headers: Map<String, Value> = own.collect();
    let of_this =
        ERROR_HEADERS.iter().filter(|(.., statuses)| statuses.contains(&status)).map(|(name, ..)| name);
    for name in COMMON_HEADERS.iter().map(|(name, ..)| name).chain(of_this) {
        headers.insert((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    }
    set(response, "headers", Value::Object(headers));
}

fn header_of(what: &str, always: bool) -> Value {
    json!({"description": what, "required": always, "schema": {"type": "string"}})
}

/// The members of an object within an object; none where there is none.
fn members<'a>(object: &'a mut Value, key: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    object.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten()
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
