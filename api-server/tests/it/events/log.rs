//! The log of changes on Postgres: the order of transactions, its age, its loss.

use std::sync::Arc;

use serde_json::json;
use sqlx::PgConnection;
use todostack_api::Settings;
use todostack_dev_postgres::Options;
use todostack_store::Store as _;
use todostack_store_postgres::PostgresStore;

use crate::{
    event_stream::{Event, EventStream},
    postgres_server::PostgresServer,
    service::{On, Service},
};

async fn execute(database: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(database).await.unwrap();
}

fn titles(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.data["todo"]["title"].as_str().unwrap_or(&event.name)).collect()
}

/// Also the writes of an earlier version of the service, which knows no log, are such statements.
#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let service = Service::start(On::Postgres).await;
    let client = &service.client;
    let mut late = service.postgres().await;
    let mut stream = EventStream::open(client).await;
    execute(&mut late, "begin; insert into todos (owner, title) values ('', 'late')").await;
    client.create_todo("/todos", json!({"title": "early"})).await;
    let mut other = EventStream::open(client).await;
    execute(&mut late, "commit").await;
    client.create_todo("/todos", json!({"title": "end"})).await;
    let events = stream.until_title("end").await;
    assert_eq!(titles(&events), ["late", "early", "end"]);
    assert_eq!(other.until_title("end").await, events, "a stream that began before the commit has it too");
    let resumed = EventStream::resume(client, &events[0].id).await.until_title("end").await;
    assert_eq!(resumed, events[1..]);
}

#[tokio::test]
async fn two_changes_of_one_todo_are_in_their_order_whatever_the_ids_of_their_transactions() {
    let service = Service::start(On::Postgres).await;
    let client = &service.client;
    client.create_todo("/todos", json!({"title": "tea"})).await;
    let mut stream = EventStream::open(client).await;
    let (mut first, mut between) = (service.postgres().await, service.postgres().await);
    // The transaction that changes the todo last has the lowest id, and one that stays open is between.
    execute(&mut first, "begin; select pg_current_xact_id()").await;
    execute(&mut between, "begin; select pg_current_xact_id()").await;
    client.patch("/todos/1", json!({"title": "second version"})).await;
    execute(&mut first, "update todos set title = 'third version', version = version + 1; commit").await;
    execute(&mut between, "commit").await;
    client.create_todo("/todos", json!({"title": "end"})).await;
    assert_eq!(titles(&stream.until_title("end").await), ["second version", "third version", "end"]);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_is_no_event() {
    let service = Service::start(On::Postgres).await;
    let mut stream = EventStream::open(&service.client).await;
    let mut database = service.postgres().await;
    execute(&mut database, "begin; insert into todos (owner, title) values ('', 'never'); rollback").await;
    service.client.create_todo("/todos", json!({"title": "end"})).await;
    assert_eq!(titles(&stream.until_title("end").await), ["end"]);
}

#[tokio::test]
async fn a_position_that_is_older_than_the_log_begins_with_a_reset() {
    let service = Service::start(On::Postgres).await;
    let client = &service.client;
    let mut stream = EventStream::open(client).await;
    for title in ["one", "two", "three"] {
        client.create_todo("/todos", json!({"title": title})).await;
    }
    let events = stream.until_title("three").await;
    let mut database = service.postgres().await;
    assert_eq!(service.store.delete_old_changes().await.unwrap(), 0, "they are new");
    let age =
        "update changes set created_at = now() - interval '61 minutes' where content->>'title' <> 'three'";
    execute(&mut database, age).await;
    assert_eq!(service.store.delete_old_changes().await.unwrap(), 2);
    let missing = EventStream::resume(client, &events[0].id).await.next().await;
    assert_eq!(missing.name, "reset", "the second event is missing");
    let rest = EventStream::resume(client, &events[1].id).await.until_title("three").await;
    assert_eq!(rest, events[2..], "nothing is missing");
    execute(&mut database, "update changes set created_at = now() - interval '61 minutes'").await;
    assert_eq!(
        service.store.delete_old_changes().await.unwrap(),
        1,
        "also the newest, which nothing follows"
    );
    let mut idle = EventStream::resume(client, &events[2].id).await;
    client.create_todo("/todos", json!({"title": "end"})).await;
    assert_eq!(titles(&idle.until_title("end").await), ["end"], "who had the last event needs no reset");
}

#[tokio::test]
async fn the_log_of_a_restored_dump_is_not_continued() {
    let service = Service::start(On::Postgres).await;
    let client = &service.client;
    let start = EventStream::open(client).await.start;
    client.create_todo("/todos", json!({"title": "before"})).await;
    let mut database = service.postgres().await;
    // As after a restore on another server, whose transaction ids are lower.
    execute(
        &mut database,
        "update change_log set origin = 'another'; update changes set horizon = 1000000000000",
    )
    .await;
    let restored = Service::over(Arc::clone(&service.store), Settings::default(), None).await;
    let mut stream = EventStream::resume(&restored.client, &start).await;
    assert_eq!(stream.next().await.name, "reset");
    restored.client.create_todo("/todos", json!({"title": "end"})).await;
    assert_eq!(titles(&stream.until_title("end").await), ["end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_survive_a_crash_of_postgres_with_a_reset() {
    let server = PostgresServer::start(&Options::default());
    let store = PostgresStore::new(server.options(), 4);
    store.migrate().await.unwrap();
    let service = Service::over(Arc::new(store), Settings::default(), None).await;
    let mut stream = EventStream::open(&service.client).await;
    service.client.create_todo("/todos", json!({"title": "before"})).await;
    let before = stream.next().await;
    assert!(server.kill(), "the server was running");
    server.restart();
    assert_eq!(stream.next().await.name, "reset", "the log is lost with a crash");
    let mut resumed = EventStream::resume(&service.client, &before.id).await;
    assert_eq!(resumed.next().await.name, "reset");
    service.client.create_todo("/todos", json!({"title": "after"})).await;
    assert_eq!(titles(&stream.until_title("after").await), ["after"]);
    assert_eq!(titles(&resumed.until_title("after").await), ["after"]);
}
