//! gzip: for large answers, and for clients that accept it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::Reply,
    event_stream::EventStream,
    service::{On, Service},
};

async fn get(service: &Service, path: &str, accepted: &str) -> Reply {
    let client = &service.client;
    client.send(client.request(Method::GET, path).header("accept-encoding", accepted), "").await
}

fn decompressed(reply: &Reply) -> Vec<u8> {
    assert_eq!((reply.header("content-encoding"), reply.header("vary")), ("gzip", "accept-encoding"));
    let mut plain = Vec::new();
    GzDecoder::new(&*reply.body).read_to_end(&mut plain).unwrap();
    assert!(reply.body.len() < plain.len() / 4, "{} bytes of {}", reply.body.len(), plain.len());
    plain
}

async fn service_with_todos(count: usize) -> Service {
    let service = Service::start(On::Sqlite).await;
    let line = |number| json!({"title": format!("todo {number}")}).to_string() + "\n";
    let lines: String = (0..count).map(line).collect();
    let client = &service.client;
    let request =
        client.request(Method::POST, "/todos/import").header("content-type", "application/x-ndjson");
    let imported = client.send(request.header("idempotency-key", "k1"), lines).await;
    assert_eq!(imported.status, StatusCode::OK);
    service
}

#[tokio::test]
async fn a_large_answer_is_compressed_and_its_etag_still_works() {
    let service = service_with_todos(100).await;
    let plain = get(&service, "/todos", "gzip;q=0").await;
    assert!(!plain.headers.contains_key("content-encoding"));
    assert_eq!(plain.header("vary"), "accept-encoding");
    let reply = get(&service, "/todos", "br, gzip").await;
    assert_eq!(decompressed(&reply), plain.body);
    assert_eq!(reply.header("etag"), format!("W/{}", plain.header("etag")), "these are other bytes");
    for etag in [reply.header("etag"), plain.header("etag")] {
        let request = service.client.request(Method::GET, "/todos").header("if-none-match", etag);
        let again = service.client.send(request.header("accept-encoding", "gzip"), "").await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    }
    let request = service.client.request(Method::HEAD, "/todos").header("accept-encoding", "gzip");
    assert_eq!(service.client.send(request, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_streamed_is_compressed_as_it_comes() {
    let service = service_with_todos(2_500).await;
    for path in ["/todos", "/todos/export"] {
        let plain = get(&service, path, "identity").await;
        assert_eq!(decompressed(&get(&service, path, "gzip").await), plain.body);
    }
    let all: Value = serde_json::from_slice(&decompressed(&get(&service, "/todos", "gzip").await)).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2_500);
}

#[tokio::test]
async fn small_answers_and_events_are_not_compressed() {
    let service = service_with_todos(1).await;
    for path in ["/todos", "/todos/1", "/lists", "/todos/2"] {
        let reply = get(&service, path, "gzip").await;
        assert!(!reply.headers.contains_key("content-encoding"), "{path}");
        assert!(!reply.headers.contains_key("vary"), "{path}");
    }
    let request = service.client.request(Method::GET, "/todos/events").header("accept-encoding", "gzip");
    let mut events = EventStream::from_request(&service.client, request).await;
    assert!(!events.headers.contains_key("content-encoding"));
    service.client.create_todo("/todos", json!({"title": "end"})).await;
    events.until_title("end").await;
}
