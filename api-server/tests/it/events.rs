//! The stream of events: what it sends, how it resumes, how many there may be. How changes are logged on
//! Postgres is in `log`, whole histories are in `replay`, owners and tokens in `auth/streams`.

mod log;
mod replay;
mod slow;

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use todostack_api::Settings;
use tokio::time::timeout;

use crate::{
    event_stream::EventStream,
    server_process::{Server, with_message},
    service::{On, Service, on_both_databases},
};

on_both_databases!(
    each_change_is_an_event,
    what_changes_nothing_is_no_event,
    an_unknown_position_begins_with_a_reset,
    the_event_of_a_deleted_list_is_followed_by_those_of_its_todos,
);

async fn each_change_is_an_event(service: Service) {
    let client = &service.client;
    let mut stream = EventStream::open(client).await;
    let created =
        client.post("/todos", json!({"title": "tea\n\u{2028}", "tags": ["home"], "order": 7})).await;
    let event = stream.next().await;
    assert_eq!(event.name, "todo");
    let whole = json!({"todo": created.json(), "list": null, "etag": created.header("etag")});
    assert_eq!(event.data, whole, "as in the response, also the addresses");

    let patched = client.patch("/todos/1", json!({"completed": true})).await;
    assert_eq!(stream.next().await.data["todo"], patched.json());
    let replaced = client.put("/todos/1", json!({"title": "milk", "dueDate": "2026-12-01"})).await;
    let event = stream.next().await;
    assert_eq!((&event.data["todo"], &event.data["etag"]), (&replaced.json(), &json!("\"1.3\"")));
    client.delete("/todos/1").await;
    let event = stream.next().await;
    assert_eq!((event.name.as_str(), event.data), ("todo-deleted", json!({"id": 1, "list": null})));
}

async fn the_event_of_a_deleted_list_is_followed_by_those_of_its_todos(service: Service) {
    let client = &service.client;
    let mut stream = EventStream::open(client).await;
    let created = client.post("/lists", json!({"name": "Shop"})).await;
    let event = stream.next().await;
    let whole = json!({"list": created.json(), "etag": created.header("etag")});
    assert_eq!((event.name.as_str(), event.data), ("list", whole));
    let renamed = client.patch("/lists/1", json!({"name": "Market"})).await;
    let event = stream.next().await;
    let whole = json!({"list": renamed.json(), "etag": renamed.header("etag")});
    assert_eq!((event.name.as_str(), event.data), ("list", whole));
    let todo = client.create_todo("/lists/1/todos", json!({"title": "bread"})).await;
    let event = stream.next().await;
    assert_eq!((&event.data["todo"], &event.data["list"]), (&todo, &json!(1)));
    client.delete("/lists/1").await;
    let event = stream.next().await;
    assert_eq!((event.name.as_str(), event.data), ("list-deleted", json!({"id": 1})));
    let event = stream.next().await;
    assert_eq!((event.name.as_str(), event.data), ("todo-deleted", json!({"id": 1, "list": 1})));
}

async fn what_changes_nothing_is_no_event(service: Service) {
    let client = &service.client;
    let mut stream = EventStream::open(client).await;
    let create = async || {
        let request = client.json(Method::POST, "/todos").header("idempotency-key", "k1");
        client.send(request, json!({"title": "once"}).to_string()).await
    };
    assert_eq!(create().await.status, StatusCode::CREATED);
    assert_eq!(create().await.header("idempotency-replayed"), "true");
    let guarded = client.json(Method::PATCH, "/todos/1").header("if-match", "\"1.9\"");
    assert_eq!(client.send(guarded, r#"{"title":"no"}"#).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(client.delete("/todos/9").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.post("/lists/9/todos", json!({"title": "no"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.delete("/todos?completed=true").await.status, StatusCode::NO_CONTENT);
    client.create_todo("/todos", json!({"title": "end"})).await;
    let titles: Vec<_> = stream
        .until_title("end")
        .await
        .into_iter()
        .map(|event| event.data["todo"]["title"].clone())
        .collect();
    assert_eq!(titles, ["once", "end"]);
}

async fn an_unknown_position_begins_with_a_reset(service: Service) {
    let client = &service.client;
    let current = EventStream::open(client).await.start;
    let of_another_log = current.replacen(|digit: char| digit.is_ascii_hexdigit(), "", 1);
    for id in ["1", "", "x-y-z", &of_another_log, "0-0-0"] {
        let mut stream = EventStream::resume(client, id).await;
        let event = stream.next().await;
        assert_eq!((event.name.as_str(), &event.data), ("reset", &json!({})), "{id}");
        client.create_todo("/todos", json!({"title": "after"})).await;
        let after = stream.next().await;
        assert_eq!(after.data["todo"]["title"], "after", "{id}");
    }
}

#[tokio::test]
async fn a_stream_is_neither_cached_nor_buffered_and_its_connection_is_not_used_again() {
    let service = Service::start(On::Sqlite).await;
    let stream = EventStream::open(&service.client).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("connection", "close"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(stream.headers[name], value);
    }
    let head = service.client.send(service.client.request(Method::HEAD, "/todos/events"), "").await;
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test]
async fn a_heartbeat_follows_every_15_seconds_and_tells_the_position() {
    let service = Service::start(On::Sqlite).await;
    let mut stream = EventStream::open(&service.client).await;
    // The clock goes on to the next timer whenever nothing else happens.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    for _ in 0..3 {
        let heartbeat = format!(": heartbeat\nid: {}", stream.start);
        assert_eq!(stream.block().await, Some(heartbeat));
    }
    // Some of the first 15 s passed before the clock was stopped.
    assert!((43..=45).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn more_streams_than_allowed_are_rejected_until_one_ends() {
    let settings = Settings { max_event_streams: Some(1), ..Settings::default() };
    let service = Service::start_with(On::Sqlite, settings).await;
    let open = "todostack_api_event_streams_open 1";
    let stream = EventStream::open(&service.client).await;
    assert!(String::from_utf8_lossy(&service.probes.get("/metrics").await.body).contains(open));
    let rejected = service.client.get("/todos/events").await;
    assert_eq!(rejected.problem(), (503, "too-many-streams".to_owned()));
    assert_eq!(rejected.header("retry-after"), "10");
    assert_eq!(service.client.get("/todos").await.status, StatusCode::OK, "other requests are answered");
    drop(stream);
    let admitted = async {
        while service.client.get_head("/todos/events").await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), admitted).await.expect("the place of a stream that ended is free");
}

#[tokio::test]
async fn streams_end_when_the_service_stops_which_does_not_wait_for_them() {
    let server = Server::start("info").await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(EventStream::open(&server.client).await);
    }
    server.terminate();
    for stream in &mut streams {
        assert_eq!(stream.block().await, None, "it ends as a whole response does");
    }
    let log = server.wait_for_exit().await;
    assert_eq!(with_message(&log, "Stopped").len(), 1);
    assert!(with_message(&log, "Aborted requests that did not finish in time").is_empty(), "{log:?}");
}
