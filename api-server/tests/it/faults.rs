//! What happens when the database dies, hangs or is full. Nothing acknowledged is lost, and all recovers by itself.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use http::StatusCode;
use serde_json::json;
use sqlx::Connection as _;
use todostack_api::Settings;
use todostack_store::Store as _;
use todostack_store_postgres::PostgresStore;
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};
use tokio::time::{Instant, timeout};

use crate::{client::Client, postgres_server::PostgresServer, service::Service, small_disk::SmallDisk};

async fn service_on(server: &PostgresServer) -> Service {
    let store = PostgresStore::new(server.options(), 4);
    store.migrate().await.unwrap();
    Service::over(Arc::new(store), Settings::default(), None).await
}

/// Until the whole service answers again.
async fn recovered(client: &Client) {
    let all = async {
        loop {
            let made = client.post("/todos", json!({"title": "after"})).await;
            if made.status == StatusCode::CREATED
                && client.get(made.header("location")).await.status == StatusCode::OK
                && client.get("/todos?limit=1").await.status == StatusCode::OK
            {
                return;
            }
            assert_eq!(
                made.status.is_server_error(),
                made.status == StatusCode::SERVICE_UNAVAILABLE,
                "{made:?}"
            );
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), all).await.expect("the service recovers within 20 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_postgres_was_killed_is_there_afterwards() {
    let server = PostgresServer::start();
    let service = service_on(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let clients: Vec<_> = (0..32)
        .map(|client| {
            let (http, stop, acknowledged) =
                (service.client.clone(), Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let title = format!("{client}-{number}");
                    match http.post("/todos", json!({"title": title})).await.status {
                        StatusCode::CREATED => drop(acknowledged.lock().unwrap().insert(title)),
                        status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
                    }
                }
            })
        })
        .collect();
    let enough = async |wanted: usize| {
        while acknowledged.lock().unwrap().len() < wanted {
            tokio::task::yield_now().await;
        }
    };
    for round in 1..=2 {
        timeout(Duration::from_secs(20), enough(round * 500)).await.expect("todos are made");
        assert!(server.kill(), "the server was running");
        server.restart();
        recovered(&service.client).await;
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let kept: BTreeSet<String> = service.client.titles("/todos").await.into_iter().collect();
    let acknowledged = acknowledged.lock().unwrap();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_answered_for_within_the_deadline() {
    let server = PostgresServer::start();
    let service = service_on(&server).await;
    service.client.todo("/todos", json!({"title": "tea"})).await;
    let mut other = server.connect().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::query("lock table todos in access exclusive mode").execute(&mut *lock).await.unwrap();
    let started = Instant::now();
    let (read, list, made, changed) = tokio::join!(
        service.client.get("/todos/1"),
        service.client.get("/todos"),
        service.client.post("/todos", json!({"title": "late"})),
        service.client.patch("/todos/1", json!({"title": "late"})),
    );
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
    for reply in [read, list, made, changed] {
        assert_eq!(reply.problem(), (503, "database-unavailable".to_owned()));
    }
    lock.rollback().await.unwrap();
    assert_eq!(service.client.titles("/todos").await, ["tea"], "what was refused was not done");
}

/// Makes todos until each client is refused, by one of these problems; the titles of those that were acknowledged, sorted.
async fn made_until(client: &Client, refusals: &[(u16, &str)]) -> Vec<String> {
    // Eight at once, so that batches are refused too.
    let acknowledged = join_all((0..8).map(async |client_number| {
        let mut acknowledged = Vec::new();
        for number in 0..2_000 {
            let title = format!("{client_number}-{number} {}", "a".repeat(900));
            let reply = client.post("/todos", json!({"title": title})).await;
            if reply.status != StatusCode::CREATED {
                let (status, slug) = reply.problem();
                assert!(refusals.contains(&(status, slug.as_str())), "{reply:?}");
                assert_eq!(reply.header("retry-after"), "5");
                return acknowledged;
            }
            acknowledged.push(title);
        }
        panic!("16,000 todos of 1 KiB found room");
    }));
    let mut acknowledged = acknowledged.await.concat();
    acknowledged.sort();
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_postgres_refuses_writes_and_still_reads_until_there_is_room_again() {
    let mut disk = SmallDisk::mount(32);
    let server = PostgresServer::start();
    let store = PostgresStore::new(server.database_in(&disk.data()).await, 4);
    store.migrate().await.unwrap();
    let service = Service::over(Arc::new(store), Settings::default(), None).await;
    let client = &service.client;
    disk.fill_but(512 * 1_024);
    let mut acknowledged = made_until(client, &[(507, "database-full")]).await;
    let kept = async || {
        let mut kept = client.titles("/todos").await;
        kept.sort();
        kept
    };
    assert!(!acknowledged.is_empty());
    assert_eq!(kept().await, acknowledged, "all that was acknowledged, and nothing that was refused");
    assert_eq!(client.get("/todos/1").await.status, StatusCode::OK);
    assert_eq!(service.operations.get("/readyz").await.status, StatusCode::OK, "it can still be read");

    disk.make_room();
    assert_eq!(client.post("/todos", json!({"title": "tea"})).await.status, StatusCode::CREATED);
    acknowledged.push("tea".to_owned());
    acknowledged.sort();
    assert!(server.kill(), "the server was running");
    server.restart();
    recovered(client).await;
    let mut kept = kept().await;
    kept.retain(|title| title != "after");
    assert_eq!(kept, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_the_disk_of_the_log_was_full_is_there_afterwards() {
    let mut disk = SmallDisk::mount(64);
    let server = PostgresServer::start_with_log_in(&disk.data());
    let service = service_on(&server).await;
    let client = &service.client;
    // Less than the log grows by, at which Postgres gives up as a whole.
    disk.fill_but(512 * 1_024);
    let refusals = [(507, "database-full"), (503, "database-unavailable")];
    let acknowledged = made_until(client, &refusals).await;
    assert!(!acknowledged.is_empty());
    disk.make_room();
    // It tries to recover by itself, but exits when there is no space for that either.
    server.kill();
    server.restart();
    recovered(client).await;
    let mut kept = client.titles("/todos").await;
    kept.sort();
    let lost: Vec<_> = acknowledged.iter().filter(|title| kept.binary_search(title).is_err()).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), acknowledged.len());
}

#[tokio::test]
async fn a_full_file_of_sqlite_refuses_writes_and_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("todos.db"));
    // A limit in pages of 4 KiB is what a full disk looks like to SQLite.
    let store = SqliteStore::new(options.pragma("max_page_count", "40"));
    store.migrate().await.unwrap();
    let service = Service::over(Arc::new(store), Settings::default(), Some(folder)).await;
    let client = &service.client;
    let mut made = 0_usize;
    let refused = loop {
        let reply = client.post("/todos", json!({"title": "a".repeat(1_000)})).await;
        if reply.status != StatusCode::CREATED {
            break reply;
        }
        made += 1;
    };
    assert_eq!(refused.problem(), (507, "database-full".to_owned()));
    assert_eq!(client.titles("/todos").await.len(), made);
    assert_eq!(client.delete("/todos").await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.post("/todos", json!({"title": "tea"})).await.status, StatusCode::CREATED);
}
