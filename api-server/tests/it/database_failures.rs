//! Failures of the database: killed, hanging, full. No acknowledged write is lost, and the service recovers
//! by itself.

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
use todostack_dev_postgres::Options;
use todostack_store::Store as _;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};
use tokio::time::{Instant, timeout};

use crate::{client::Client, postgres_server::PostgresServer, service::Service, small_disk::SmallDisk};

async fn service_on(database: PgConnectOptions) -> Service {
    let store = PostgresStore::new(database, 4);
    store.migrate().await.unwrap();
    Service::over(Arc::new(store), Settings::default(), None).await
}

/// Waits until reads and writes succeed.
async fn wait_for_recovery(client: &Client) {
    let all = async {
        loop {
            let created = client.post("/todos", json!({"title": "after"})).await;
            if created.status == StatusCode::CREATED
                && client.get(created.header("location")).await.status == StatusCode::OK
                && client.get("/todos?limit=1").await.status == StatusCode::OK
            {
                return;
            }
            assert_eq!(
                created.status.is_server_error(),
                created.status == StatusCode::SERVICE_UNAVAILABLE,
                "{created:?}"
            );
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), all).await.expect("the service recovers within 20 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_kill_of_postgres() {
    let server = PostgresServer::start(&Options::default());
    let service = service_on(server.options()).await;
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
        timeout(Duration::from_secs(20), enough(round * 500)).await.expect("todos are created");
        assert!(server.kill(), "the server was running");
        server.restart();
        wait_for_recovery(&service.client).await;
    }
    stop.store(true, Ordering::SeqCst);
    join_all(clients).await.into_iter().for_each(Result::unwrap);
    let kept: BTreeSet<String> = service.client.titles("/todos").await.into_iter().collect();
    let acknowledged = acknowledged.lock().unwrap();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_to_a_hanging_database_fail_within_the_deadline() {
    let server = PostgresServer::start(&Options::default());
    let service = service_on(server.options()).await;
    service.client.create_todo("/todos", json!({"title": "tea"})).await;
    let mut other = server.connect().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::query("lock table todos in access exclusive mode").execute(&mut *lock).await.unwrap();
    let started = Instant::now();
    let (read, list, created, changed) = tokio::join!(
        service.client.get("/todos/1"),
        service.client.get("/todos"),
        service.client.post("/todos", json!({"title": "late"})),
        service.client.patch("/todos/1", json!({"title": "late"})),
    );
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
    for reply in [read, list, created, changed] {
        assert_eq!(reply.problem(), (503, "database-unavailable".to_owned()));
    }
    lock.rollback().await.unwrap();
    assert_eq!(service.client.titles("/todos").await, ["tea"], "what was rejected was not done");
}

/// Creates todos until each client gets one of these problems. Returns the titles of the acknowledged todos,
/// sorted.
async fn create_until(client: &Client, problems: &[(u16, &str)]) -> Vec<String> {
    // Eight clients, so that batches fail too.
    let acknowledged = join_all((0..8).map(async |client_number| {
        let mut acknowledged = Vec::new();
        for number in 0..2_000 {
            let title = format!("{client_number}-{number} {}", "a".repeat(900));
            let reply = client.post("/todos", json!({"title": title})).await;
            if reply.status != StatusCode::CREATED {
                let (status, slug) = reply.problem();
                assert!(problems.contains(&(status, slug.as_str())), "{reply:?}");
                assert_eq!(reply.header("retry-after"), "5");
                return acknowledged;
            }
            acknowledged.push(title);
        }
        panic!("16,000 todos of 1 KiB were stored");
    }));
    let mut acknowledged = acknowledged.await.concat();
    acknowledged.sort();
    acknowledged
}

async fn sorted_titles(client: &Client) -> Vec<String> {
    let mut titles = client.titles("/todos").await;
    titles.sort();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_of_postgres_is_full_writes_fail_and_reads_succeed() {
    let mut disk = SmallDisk::mount(32);
    let server = PostgresServer::start(&Options::default());
    let service = service_on(server.database_in(&disk.data()).await).await;
    let client = &service.client;
    disk.fill_except(512 * 1_024);
    let mut acknowledged = create_until(client, &[(507, "database-full")]).await;
    assert!(!acknowledged.is_empty());
    assert_eq!(sorted_titles(client).await, acknowledged, "all acknowledged writes, and no rejected one");
    assert_eq!(client.get("/todos/1").await.status, StatusCode::OK);
    assert_eq!(service.probes.get("/readyz").await.status, StatusCode::OK, "it can still be read");

    disk.free();
    assert_eq!(client.post("/todos", json!({"title": "tea"})).await.status, StatusCode::CREATED);
    acknowledged.push("tea".to_owned());
    acknowledged.sort();
    assert!(server.kill(), "the server was running");
    server.restart();
    wait_for_recovery(client).await;
    let mut kept = sorted_titles(client).await;
    kept.retain(|title| title != "after");
    assert_eq!(kept, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_full_disk_of_the_write_ahead_log() {
    let mut disk = SmallDisk::mount(64);
    let server = PostgresServer::start(&Options::default().write_ahead_log_in(&disk.data()));
    let service = service_on(server.options()).await;
    let client = &service.client;
    // Less than a segment of the log, without which Postgres stops.
    disk.fill_except(512 * 1_024);
    let problems = [(507, "database-full"), (503, "database-unavailable")];
    let acknowledged = create_until(client, &problems).await;
    assert!(!acknowledged.is_empty());
    disk.free();
    // It tries to recover by itself, but exits when there is no space for that either.
    server.kill();
    server.restart();
    wait_for_recovery(client).await;
    let kept = sorted_titles(client).await;
    let lost: Vec<_> = acknowledged.iter().filter(|title| kept.binary_search(title).is_err()).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), acknowledged.len());
}

#[tokio::test]
async fn when_the_file_of_sqlite_is_full_writes_fail_and_reads_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("todos.db"));
    // SQLite reports the limit, in pages of 4 KiB, as it does a full disk.
    let store = SqliteStore::new(options.pragma("max_page_count", "40"));
    store.migrate().await.unwrap();
    let service = Service::over(Arc::new(store), Settings::default(), Some(folder)).await;
    let client = &service.client;
    let mut created = 0_usize;
    let rejected = loop {
        let reply = client.post("/todos", json!({"title": "a".repeat(1_000)})).await;
        if reply.status != StatusCode::CREATED {
            break reply;
        }
        created += 1;
    };
    assert_eq!(rejected.problem(), (507, "database-full".to_owned()));
    assert_eq!(client.titles("/todos").await.len(), created);
    assert_eq!(client.delete("/todos").await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.post("/todos", json!({"title": "tea"})).await.status, StatusCode::CREATED);
}
