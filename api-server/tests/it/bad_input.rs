//! Whatever a client sends: no error of the server, and the same answer from both databases. What JSON can
//! say is kept as it is, or it is 422 with a pointer.

mod values;

use futures::future::join;
use http::{HeaderValue, Method, StatusCode, header};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use self::values::{body, header_value, query};
use crate::{
    client::Reply,
    event_stream::EventStream,
    service::{On, Service},
};

/// In a path, these stand for the number of a todo and of a list that exist.
const TODO: &str = "TODO";
const LIST: &str = "LIST";

#[derive(Clone, Debug)]
struct Request {
    method: Method,
    path: String,
    headers: Vec<(&'static str, HeaderValue)>,
    body: Vec<u8>,
}

/// A service, and the numbers of what exists, which differ: Postgres skips those of failed statements.
struct Subject {
    service: Service,
    /// The position in the log of changes before all requests.
    start: String,
}

impl Subject {
    async fn new(on: On) -> Self {
        let service = Service::start(on).await;
        Self { start: EventStream::open(&service.client).await.start, service }
    }

    /// The answer to a request, when there is one todo, with one change, and one list.
    async fn answer(&self, request: &Request) -> Reply {
        let client = &self.service.client;
        assert_eq!(client.delete("/todos").await.status, StatusCode::NO_CONTENT);
        for list in client.get("/lists").await.texts("url") {
            assert_eq!(client.delete(&list).await.status, StatusCode::NO_CONTENT);
        }
        let list = client.post("/lists", json!({"name": "shop", "order": 1})).await.json();
        let todo = client.create_todo("/todos", json!({"title": "Tea", "dueDate": "2026-11-20"})).await;
        client.patch(todo["url"].as_str().unwrap(), json!({"tags": ["home"]})).await;
        let path = request.path.replace(TODO, &todo["id"].to_string()).replace(LIST, &list["id"].to_string());
        let mut http = client.request(request.method.clone(), &path);
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        client.send(http, request.body.clone()).await
    }
}

/// What both databases must agree on: all but numbers and times.
fn seen(reply: &Reply) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Object(fields) => {
                for own in ["id", "url", "todosUrl", "createdAt", "updatedAt", "trace_id"] {
                    fields.remove(own);
                }
                fields.values_mut().for_each(strip);
            }
            _ => {}
        }
    }
    let lines = reply.body.split(|byte| *byte == b'\n');
    let texts = if reply.headers.get(header::CONTENT_TYPE).is_some_and(|it| it == "application/x-ndjson") {
        lines.collect()
    } else {
        vec![&*reply.body]
    };
    let mut body: Value =
        texts.iter().filter_map(|text| serde_json::from_slice::<Value>(text).ok()).collect();
    strip(&mut body);
    json!([reply.status.as_u16(), body, reply.headers.contains_key("link")])
}

/// Runs the property for `cases` requests.
fn check(cases: u32, requests: impl Strategy<Value = Request>, property: impl Fn(&Request, &Reply)) {
    let runtime = Runtime::new().unwrap();
    let (postgres, sqlite) = runtime.block_on(join(Subject::new(On::Postgres), Subject::new(On::Sqlite)));
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    let run = runner.run(&requests, |request| {
        let (one, other) = runtime.block_on(join(postgres.answer(&request), sqlite.answer(&request)));
        for reply in [&one, &other] {
            assert!(!reply.status.is_server_error(), "{reply:?}");
            property(&request, reply);
        }
        assert_eq!(seen(&one), seen(&other), "{one:?}, {other:?}");
        Ok(())
    });
    run.unwrap();
    // Whatever was written, the log of changes can be read.
    runtime.block_on(async {
        for Subject { service, start } in [&postgres, &sqlite] {
            let mut events = EventStream::resume(&service.client, start).await;
            service.client.create_todo("/todos", json!({"title": "the end"})).await;
            events.until_title("the end").await;
        }
    });
}

fn request(
    (method, path): (Method, &str),
    headers: Vec<(&'static str, HeaderValue)>,
    body: Vec<u8>,
) -> Request {
    Request { method, path: path.to_owned(), headers, body }
}

fn typed(media_type: &'static str) -> (&'static str, HeaderValue) {
    ("content-type", HeaderValue::from_static(media_type))
}

#[test]
fn any_json_is_kept_as_it_is_or_rejected_at_a_pointer() {
    let operations = vec![
        (Method::POST, "/todos"),
        (Method::PUT, "/todos/TODO"),
        (Method::PATCH, "/todos/TODO"),
        (Method::POST, "/lists"),
        (Method::PATCH, "/lists/LIST"),
    ];
    let requests = (prop::sample::select(operations), body())
        .prop_map(|(operation, body)| request(operation, vec![typed("application/json")], body.into_bytes()));
    check(400, requests, |request, reply| {
        if !reply.status.is_success() {
            assert!([413, 422].contains(&reply.status.as_u16()), "{reply:?}");
            assert!(reply.status == 413 || reply.json()["errors"][0]["pointer"].is_string(), "{reply:?}");
            return;
        }
        // What is ignored may be more than a `Value` can hold.
        let Ok(sent) = serde_json::from_slice::<Value>(&request.body) else { return };
        let kept = reply.json();
        for field in ["title", "name", "dueDate", "tags", "priority"] {
            if let Some(value) = sent.get(field).filter(|value| !value.is_null())
                && kept.get(field).is_some()
            {
                assert_eq!(*value, kept[field], "{field}");
            }
        }
    });
}

#[test]
fn any_line_of_an_import_is_stored_or_rejected() {
    let requests = (body(), any::<u64>()).prop_map(|(line, key)| {
        let key = ("idempotency-key", HeaderValue::from(key));
        let headers = vec![typed("application/x-ndjson"), key];
        request((Method::POST, "/todos/import"), headers, line.into_bytes())
    });
    check(100, requests, |_, reply| {
        assert!([200, 422].contains(&reply.status.as_u16()), "{reply:?}");
    });
}

#[test]
fn any_bytes_are_a_body_or_rejected() {
    let operations = vec![
        (Method::POST, "/todos", "application/json"),
        (Method::PATCH, "/todos/TODO", "application/merge-patch+json"),
        (Method::PATCH, "/lists/LIST", "application/json"),
        (Method::POST, "/todos/import", "application/x-ndjson"),
    ];
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}\":,0-9eE.+ntrueflas\\\\ -]{0,40}".prop_map(String::into_bytes),
    ];
    let requests =
        (prop::sample::select(operations), bytes).prop_map(|((method, path, media_type), body)| {
            let key = ("idempotency-key", HeaderValue::from_static("k"));
            request((method, path), vec![typed(media_type), key], body)
        });
    check(200, requests, |_, _| {});
}

#[test]
fn any_query_selects_the_same_or_is_rejected() {
    let operations = vec![
        (Method::GET, "/todos"),
        (Method::GET, "/todos/export"),
        (Method::GET, "/lists"),
        (Method::GET, "/lists/LIST/todos"),
        (Method::DELETE, "/todos"),
        (Method::DELETE, "/lists/LIST/todos"),
    ];
    let requests = (prop::sample::select(operations), query())
        .prop_map(|((method, path), query)| request((method, &format!("{path}?{query}")), vec![], vec![]));
    check(300, requests, |_, reply| {
        assert!([200, 204, 400, 404].contains(&reply.status.as_u16()), "{reply:?}");
    });
}

#[test]
fn any_number_in_a_path_exists_or_does_not() {
    let numbers = prop_oneof![
        prop::sample::select(vec![
            "0",
            "-1",
            "+TODO",
            "00TODO",
            "TODO",
            "LIST",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1e3",
            "%00",
            "%2F",
            "%ff",
            "%E2%80%AE",
            "import",
            "events.",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9._~:@!$&'()*+,;=-]{1,12}",
    ];
    let methods = prop::sample::select(vec![Method::GET, Method::PATCH, Method::DELETE]);
    let places = vec!["/todos/", "/lists/", "/lists/LIST/todos/"];
    let requests = (methods, prop::sample::select(places), numbers).prop_map(|(method, place, number)| {
        let path = format!("{place}{number}");
        request((method, &path), vec![typed("application/json")], b"{}".to_vec())
    });
    check(200, requests, |_, reply| {
        assert!([200, 204, 404, 405].contains(&reply.status.as_u16()), "{reply:?}");
    });
}

#[test]
fn any_header_is_obeyed_or_rejected() {
    let names = vec![
        "if-match",
        "if-none-match",
        "idempotency-key",
        "range",
        "accept",
        "accept-encoding",
        "content-type",
        "x-forwarded-host",
        "x-forwarded-for",
        "forwarded",
        "traceparent",
        "x-request-id",
        "origin",
    ];
    let operations = vec![
        (Method::GET, "/todos"),
        (Method::GET, "/todos/TODO"),
        (Method::GET, "/lists"),
        (Method::GET, "/lists/LIST"),
        (Method::GET, "/todos/export"),
        (Method::POST, "/todos"),
        (Method::POST, "/lists"),
        (Method::PATCH, "/todos/TODO"),
        (Method::PATCH, "/lists/LIST"),
        (Method::DELETE, "/todos/TODO"),
        (Method::DELETE, "/lists/LIST"),
        (Method::POST, "/todos/import"),
    ];
    let header = (prop::sample::select(names), header_value());
    let requests = (prop::sample::select(operations), header).prop_map(|(operation, header)| {
        let media_type =
            if operation.1.ends_with("import") { "application/x-ndjson" } else { "application/json" };
        let mut headers = vec![header];
        if headers[0].0 != "content-type" {
            headers.push(typed(media_type));
        }
        request(operation, headers, br#"{"title":"a","name":"a"}"#.to_vec())
    });
    check(500, requests, |_, _| {});
}

#[test]
fn any_id_of_an_event_resumes_the_stream_or_resets_it() {
    let runtime = Runtime::new().unwrap();
    let services = runtime.block_on(join(Service::start(On::Postgres), Service::start(On::Sqlite)));
    let mut runner = TestRunner::new(ProptestConfig { cases: 100, ..ProptestConfig::default() });
    let run = runner.run(&header_value(), |id| {
        for service in [&services.0, &services.1] {
            runtime.block_on(async {
                let request = service.client.request(Method::GET, "/todos/events");
                EventStream::from_request(&service.client, request.header("last-event-id", &id)).await;
            });
        }
        Ok(())
    });
    run.unwrap();
}
