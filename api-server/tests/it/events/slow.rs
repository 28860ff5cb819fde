//! A client that does not read its stream while many changes are made. It costs others nothing.

use futures::future::join_all;
use serde_json::json;

use crate::{
    event_stream::EventStream,
    fixtures::{collection, new_todo},
    service::{On, Service},
};

/// More than the sockets buffer, of some 1.3 KiB each.
const MANY: usize = 12_000;

async fn create_many(service: &Service) {
    let (title, default_list) = ("a".repeat(1_000), collection("", None));
    for _ in 0..MANY / 1_000 {
        let created = (0..1_000).map(|_| service.store.create_todo(&default_list, new_todo(&title), None));
        join_all(created).await.into_iter().for_each(|created| drop(created.unwrap()));
    }
}

async fn create_end(service: &Service) {
    service.client.create_todo("/todos", json!({"title": "end"})).await;
}

#[tokio::test]
async fn a_slow_reader_misses_nothing_that_the_log_has() {
    let service = Service::start(On::Postgres).await;
    let mut slow = EventStream::open(&service.client).await;
    let mut fast = EventStream::open(&service.client).await;
    let (fast, ()) = tokio::join!(fast.until_title("end"), async {
        create_many(&service).await;
        create_end(&service).await;
    });
    let slow = slow.until_title("end").await;
    assert_eq!(slow.len(), MANY + 1);
    assert!(slow == fast, "both have the same events");
}

#[tokio::test]
async fn a_slow_reader_gets_a_reset_for_what_the_log_no_longer_has() {
    let service = Service::start(On::Sqlite).await;
    let mut slow = EventStream::open(&service.client).await;
    create_many(&service).await;
    let mut before = 0;
    while slow.next().await.name != "reset" {
        before += 1;
    }
    assert!(before < MANY, "{before} events");
    create_end(&service).await;
    slow.until_title("end").await;
}
