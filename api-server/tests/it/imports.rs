//! `POST /todos/import` and `GET /todos/export`: each line once, whatever breaks.

mod limits;
mod round_trip;

use std::time::Duration;

use futures::future::join_all;
use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_store::{Error, ImportProgress, ImportStep};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

use crate::{
    client::{Client, Reply},
    fixtures::{collection, new_todo},
    service::{On, Service, on_both_databases},
};

async fn import(client: &Client, path: &str, key: &str, lines: impl Into<String>) -> Reply {
    let request = client.request(Method::POST, path).header("content-type", "application/x-ndjson");
    client.send(request.header("idempotency-key", key), lines.into()).await
}

/// So many lines, of which each title is its number.
fn numbered(lines: impl Iterator<Item = u32>) -> String {
    lines.map(|number| json!({"title": number.to_string()}).to_string() + "\n").collect()
}

fn titles(lines: impl Iterator<Item = u32>) -> Vec<String> {
    lines.map(|number| number.to_string()).collect()
}

on_both_databases!(
    lines_are_stored_in_their_order,
    an_import_is_repeated_without_a_todo_twice,
    a_wrong_line_is_reported_and_the_corrected_import_continues,
    other_lines_need_another_key,
    an_import_that_broke_off_in_the_middle_continues,
    of_concurrent_imports_with_one_key_each_line_is_stored_once,
    a_step_that_another_request_has_stored_is_rejected,
    todos_of_a_list_are_imported_into_it,
);

async fn lines_are_stored_in_their_order(service: Service) {
    let client = &service.client;
    // More than one transaction, no line break at the end, and lines that are empty.
    let lines = format!("\n{} \r\n{}", numbered(1..1_200), numbered(1_200..1_400).trim_end());
    let reply = import(client, "/todos/import", "k1", lines).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"imported": 1_399})));
    assert!(reply.headers.get("idempotency-replayed").is_none());
    assert_eq!(client.titles("/todos").await, titles(1..1_400));
    assert_eq!(import(client, "/todos/import", "k2", "").await.json(), json!({"imported": 0}));
}

async fn an_import_is_repeated_without_a_todo_twice(service: Service) {
    let client = &service.client;
    for replayed in [false, true] {
        let reply = import(client, "/todos/import", "k1", numbered(1..700)).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"imported": 699})));
        assert_eq!(reply.headers.contains_key("idempotency-replayed"), replayed);
    }
    // A file that has grown.
    let reply = import(client, "/todos/import", "k1", numbered(1..710)).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"imported": 709})));
    assert_eq!(client.titles("/todos").await, titles(1..710));
}

async fn a_wrong_line_is_reported_and_the_corrected_import_continues(service: Service) {
    let client = &service.client;
    for (wrong, pointer, detail) in [
        (r#"{"title":""}"#, "/title", "must not be empty"),
        (r#"{"title":3}"#, "/title", "invalid type: integer `3`, expected a string at column 10"),
        (
            r#"{"title":"a","tags":["x",7]}"#,
            "/tags/1",
            "invalid type: integer `7`, expected a string at column 26",
        ),
        (r#"{"title":"#, "", "must be JSON: EOF while parsing a value at column 9"),
        ("[]", "", "invalid length 0, expected struct TodoInput with 6 elements at column 2"),
    ] {
        let lines = format!("{}\n{wrong}\n{}", numbered(1..602), numbered(602..604));
        let reply = import(client, "/todos/import", "k1", lines).await;
        assert_eq!(reply.problem(), (422, "invalid-body".to_owned()), "{wrong}");
        let errors = json!([{"line": 603, "pointer": pointer, "detail": detail}]);
        assert_eq!(reply.json()["errors"], errors);
        assert_eq!(client.titles("/todos").await, titles(1..602), "the lines before it are stored");
    }
    let lines = format!("{}\n{}", numbered(1..602), numbered(602..604));
    assert_eq!(import(client, "/todos/import", "k1", lines).await.json(), json!({"imported": 603}));
    assert_eq!(client.titles("/todos").await, titles(1..604));
}

async fn other_lines_need_another_key(service: Service) {
    let client = &service.client;
    import(client, "/todos/import", "k1", numbered(1..4)).await;
    client.post("/lists", json!({"name": "shop"})).await;
    let shorter = import(client, "/todos/import", "k1", numbered(1..3)).await;
    let another = import(client, "/todos/import", "k1", numbered(11..19)).await;
    let elsewhere = import(client, "/lists/1/todos/import", "k1", numbered(1..4)).await;
    let request = client.json(Method::POST, "/todos").header("idempotency-key", "k1");
    let single = client.send(request, r#"{"title":"1"}"#).await;
    for reply in [shorter, another, elsewhere, single] {
        assert_eq!(reply.problem(), (422, "idempotency-key-reused".to_owned()));
    }
    assert_eq!(client.titles("/todos").await, titles(1..4));
}

/// A connection that sends the head of an import, and the lines; the body is longer than they are.
async fn begin(client: &Client, key: &str, lines: &str) -> TcpStream {
    let mut connection = TcpStream::connect(client.base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /todos/import HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n\
         idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n",
        lines.len() + 1_000
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(lines.as_bytes()).await.unwrap();
    connection
}

async fn an_import_that_broke_off_in_the_middle_continues(service: Service) {
    let client = &service.client;
    let connection = begin(client, "k1", &numbered(1..1_300)).await;
    let stored = async { while client.titles("/todos?limit=1000").await.len() < 1_000 {} };
    timeout(Duration::from_secs(10), stored).await.expect("lines are stored while others are missing");
    drop(connection);
    // The service notices the end of the connection a moment later.
    let repeated = async {
        loop {
            let reply = import(client, "/todos/import", "k1", numbered(1..2_000)).await;
            if reply.status == StatusCode::OK {
                return reply.json();
            }
            assert_eq!(reply.problem(), (409, "idempotency-key-in-flight".to_owned()));
        }
    };
    let repeated = timeout(Duration::from_secs(10), repeated).await.unwrap();
    assert_eq!(repeated, json!({"imported": 1_999}));
    assert_eq!(client.titles("/todos").await, titles(1..2_000));
}

async fn of_concurrent_imports_with_one_key_each_line_is_stored_once(service: Service) {
    let client = &service.client;
    for reply in join_all((0..8).map(|_| import(client, "/todos/import", "k1", numbered(1..1_600)))).await {
        if reply.status != StatusCode::OK {
            assert_eq!(reply.problem(), (409, "idempotency-key-in-flight".to_owned()));
        }
    }
    let reply = import(client, "/todos/import", "k1", numbered(1..1_600)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(client.titles("/todos").await, titles(1..1_600));
}

async fn a_step_that_another_request_has_stored_is_rejected(service: Service) {
    let default_list = collection("", None);
    let progress = |lines| ImportProgress { lines, fingerprint: vec![u8::try_from(lines).unwrap()] };
    let store = async |title: &str, before: Option<i64>, after| {
        let step = ImportStep { key: "k1".to_owned(), before: before.map(progress), after: progress(after) };
        service.store.import_todos(&default_list, vec![new_todo(title)], step).await
    };
    store("1", None, 1).await.unwrap();
    for (before, after) in [(None, 1), (Some(2), 3)] {
        let again = store("again", before, after).await;
        assert!(matches!(again, Err(Error::KeyInFlight)), "{again:?}");
    }
    store("2", Some(1), 2).await.unwrap();
    assert_eq!(service.client.titles("/todos").await, ["1", "2"]);
    let stored = service.store.import_progress(&default_list, "k1").await.unwrap();
    assert_eq!(stored, Some(progress(2)));
}

async fn todos_of_a_list_are_imported_into_it(service: Service) {
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    for path in ["/lists/1/todos/import", "/todos/import?list=1"] {
        let reply = import(client, path, path.get(..10).unwrap(), numbered(1..3)).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
    assert_eq!(client.titles("/lists/1/todos").await, ["1", "2", "1", "2"]);
    assert_eq!(client.titles("/todos").await, Vec::<String>::new());
    for lines in ["", "{\"title\":\"a\"}"] {
        let reply = import(client, "/lists/2/todos/import", "k2", lines).await;
        assert_eq!(reply.problem(), (404, "list-not-found".to_owned()));
    }
    assert_eq!(client.get("/lists/2/todos/export").await.problem(), (404, "list-not-found".to_owned()));
}

#[rstest]
#[case::no_key(&[("content-type", "application/x-ndjson")], (400, "invalid-header"))]
#[case::no_type(&[("idempotency-key", "k1")], (415, "unsupported-media-type"))]
#[case::json(&[("idempotency-key", "k1"), ("content-type", "application/json")], (415, "unsupported-media-type"))]
#[tokio::test]
async fn an_import_needs_a_key_and_its_media_type(
    #[case] headers: &[(&str, &str)],
    #[case] (status, slug): (u16, &str),
) {
    let service = Service::start(On::Sqlite).await;
    let request = service.client.request(Method::POST, "/todos/import");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let reply = service.client.send(request, "{\"title\":\"a\"}").await;
    assert_eq!(reply.problem(), (status, slug.to_owned()));
    assert_eq!(service.client.get("/todos").await.json(), json!([]));
}

#[tokio::test]
async fn an_export_has_all_todos_that_match() {
    let service = Service::start(On::Sqlite).await;
    let client = &service.client;
    assert_eq!(client.get("/todos/export").await.body, "");
    import(client, "/todos/import", "k1", numbered(1..2_400)).await;
    let lines = |export: &Reply| -> Vec<String> {
        let text = String::from_utf8(export.body.to_vec()).unwrap();
        let title =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["title"].as_str().unwrap().to_owned();
        text.lines().map(title).collect()
    };
    assert_eq!(lines(&client.get("/todos/export").await), titles(1..2_400));
    assert_eq!(
        lines(&client.get("/todos/export?q=239").await),
        titles([239, 1_239, 2_239].into_iter().chain(2_390..2_400))
    );
    assert_eq!(client.get("/todos/export?completed=true").await.body, "");
}
