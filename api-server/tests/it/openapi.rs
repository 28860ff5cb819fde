//! The OpenAPI document is up to date, and describes what the service does. The client of the other tests
//! compares each response with it.

use std::{collections::BTreeMap, sync::LazyLock};

use http::{HeaderMap, Method, StatusCode};
use regex::Regex;
use rstest::rstest;
use serde_json::{Value, json};

use crate::service::{On, Service};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_slice(&todostack_api::openapi_json()).unwrap());

/// The operation of a method and a path in the document.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let requested = parts(path.split('?').next().unwrap());
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let matching = paths.iter().filter(|(template, _)| {
        let template = parts(template);
        template.len() == requested.len()
            && template
                .iter()
                .zip(&requested)
                .all(|(part, requested)| part == requested || part.starts_with('{'))
    });
    // A concrete path comes first (OpenAPI, Path Templating Matching).
    let (_, item) = matching.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(&method)
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// The document has the response: status, content type, and all required headers.
#[track_caller]
pub fn assert_documented(method: &Method, path: &str, status: StatusCode, headers: &HeaderMap) {
    let Some(operation) = operation(method, path) else {
        assert!(
            matches!(status.as_u16(), 204 | 404 | 405),
            "{method} {path}: {status}, but the operation is not in the document"
        );
        return;
    };
    let response = operation["responses"].get(status.as_str());
    let response =
        resolved(response.unwrap_or_else(|| panic!("{method} {path}: {status} is not in the document")));
    for (name, header) in response["headers"].as_object().unwrap() {
        let required = resolved(header)["required"] == true;
        assert!(
            !required || headers.contains_key(name),
            "{method} {path} {status}: the header {name} is missing"
        );
    }
    if let Some(content) = response["content"].as_object() {
        let content_type = headers["content-type"].to_str().unwrap();
        assert!(content.contains_key(content_type), "{method} {path} {status}: {content_type}");
    }
}

#[test]
fn the_document_in_the_repository_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let checked_in = std::fs::read(path).unwrap_or_default();
    assert!(
        checked_in == todostack_api::openapi_json(),
        "api-server/openapi.json is out of date: run `cargo xtask gen`"
    );
}

#[tokio::test]
async fn the_service_serves_its_document() {
    let service = Service::start(On::Sqlite).await;
    assert_eq!(service.client.get("/openapi.json").await.json(), *DOCUMENT);
}

#[tokio::test]
async fn every_method_is_either_in_the_document_or_rejected() {
    let service = Service::start(On::Sqlite).await;
    let mut checked = BTreeMap::new();
    for path in DOCUMENT["paths"].as_object().unwrap().keys() {
        let address = path.replace("{id}", "1").replace("{list}", "1");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            // The body of a stream of events has no end.
            let request = service.client.request(method.clone(), &address);
            let status = service.client.send_for_head(request).await.status();
            let rejected = status == StatusCode::METHOD_NOT_ALLOWED;
            checked.insert(format!("{method} {path}"), rejected != operation(&method, &address).is_some());
        }
    }
    assert!(checked.values().all(|agrees| *agrees), "{checked:#?}");
}

#[test]
fn every_operation_has_a_unique_id_and_a_summary() {
    let operations =
        DOCUMENT["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut names = BTreeMap::new();
    for operation in operations {
        assert!(operation["summary"].is_string(), "{operation}");
        *names.entry(operation["operationId"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert!(names.values().all(|count| *count == 1), "{names:#?}");
}

#[rstest]
#[case::plain("tea")]
#[case::of_another_script("чай")]
#[case::space_around(" tea ")]
#[case::empty("")]
#[case::space(" \t")]
#[case::nul("\0")]
#[case::nul_at_the_end("tea\0")]
#[tokio::test]
async fn a_text_is_accepted_if_the_pattern_in_the_document_matches(#[case] text: &str) {
    let service = Service::start(On::Sqlite).await;
    let schemas = &DOCUMENT["components"]["schemas"];
    let matches = |schema: &Value| Regex::new(schema["pattern"].as_str().unwrap()).unwrap().is_match(text);
    let (title, tag) = (&schemas["NewTodo"]["properties"]["title"], &schemas["Tag"]);
    let name = &schemas["NewList"]["properties"]["name"];
    for (path, body, schema) in [
        ("/todos", json!({"title": text}), title),
        ("/todos", json!({"title": "tea", "tags": [text]}), tag),
        ("/lists", json!({"name": text}), name),
    ] {
        let status = service.client.post(path, body.clone()).await.status;
        assert_eq!(status == StatusCode::CREATED, matches(schema), "{path} {body}: {status}");
    }
}
