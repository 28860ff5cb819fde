//! The connections of the Postgres store: few, used by one request at a time, and kept open.

use std::{process::Command, sync::Arc, time::Duration};

use futures::future::join_all;
use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use todostack_api::Settings;
use todostack_store::{Error, IdempotencyKey, Store, TodoPlace, TodoQuery};
use todostack_store_postgres::{PgConnectOptions, PostgresStore};
use tokio::time::timeout;

use crate::{
    fixtures::{collection, new_todo},
    service::{Service, fresh_postgres},
};

/// A store with one connection for statements that are not batched, and the options to connect to its
/// database.
async fn store_with_one_connection() -> (Arc<PostgresStore>, PgConnectOptions) {
    let database = fresh_postgres().await;
    let store = Arc::new(PostgresStore::new(database.clone(), 1));
    store.migrate().await.unwrap();
    (store, database)
}

fn all_todos() -> TodoQuery {
    TodoQuery {
        filter: todostack_store::Filter::default(),
        page: todostack_store::Page { sort: todostack_store::Sort::Created, after: None, limit: 100 },
    }
}

/// The processes of Postgres that serve the store.
async fn backend_pids(database: &mut PgConnection) -> Vec<i32> {
    let pids = "select pid from pg_stat_activity
                where datname = current_database() and application_name = 'todostack-api'";
    sqlx::query_scalar(pids).fetch_all(database).await.unwrap()
}

async fn wait_for_a_blocked_statement(database: &mut PgConnection) {
    let waits = "select exists (select from pg_stat_activity
                 where datname = current_database() and application_name = 'todostack-api'
                   and wait_event_type = 'Lock')";
    let waiting =
        async { while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut *database).await.unwrap() {} };
    timeout(Duration::from_secs(5), waiting).await.expect("a statement waits for the lock");
}

#[tokio::test]
async fn a_canceled_request_leaves_a_clean_connection() {
    let (store, options) = store_with_one_connection().await;
    let mut database = PgConnection::connect_with(&options).await.unwrap();
    let mut locking = PgConnection::connect_with(&options).await.unwrap();
    assert_eq!(store.todos(&collection("", None), &all_todos()).await.unwrap(), []);
    let before = backend_pids(&mut database).await;
    assert_eq!(before.len(), 1);

    let new = new_todo("tea");
    let key = IdempotencyKey { key: "k1".to_owned(), fingerprint: vec![1] };
    let create = {
        let (store, new, key) = (Arc::clone(&store), new.clone(), key.clone());
        async move { store.create_todo(&collection("", None), new, Some(key)).await }
    };
    let mut lock = locking.begin().await.unwrap();
    sqlx::query("lock table todos in access exclusive mode").execute(&mut *lock).await.unwrap();
    let create = tokio::spawn(create);
    wait_for_a_blocked_statement(&mut database).await;
    create.abort();
    assert!(create.await.unwrap_err().is_cancelled());
    lock.rollback().await.unwrap();

    // Its transaction began on the connection that the next statements use.
    assert_eq!(
        store.todos(&collection("", None), &all_todos()).await.unwrap(),
        [],
        "the canceled transaction was rolled back"
    );
    let created = store.create_todo(&collection("", None), new, Some(key)).await.unwrap();
    assert!(!created.replayed);
    assert_eq!(store.todos(&collection("", None), &all_todos()).await.unwrap(), [created.stored]);
    assert_eq!(backend_pids(&mut database).await, before, "the connection was reused");
}

/// A server process that is stopped, as a connection whose peer is gone without a word.
struct Silent(String);

impl Silent {
    fn new(pid: i32) -> Self {
        let silent = Self(pid.to_string());
        silent.signal("-STOP");
        silent
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0]).status().unwrap().success());
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_answer_is_replaced_though_each_request_is_canceled() {
    let (store, options) = store_with_one_connection().await;
    let mut database = PgConnection::connect_with(&options).await.unwrap();
    store.schema_version().await.unwrap();
    let pids = backend_pids(&mut database).await;
    let _silent: Vec<_> = pids.into_iter().map(Silent::new).collect();
    let probe = || timeout(Duration::from_millis(500), store.schema_version());
    // The first learns that the connection is silent, the second that a ping is not answered either.
    assert!(probe().await.is_err() && probe().await.is_err());
    assert!(probe().await.is_ok_and(|version| version.is_ok()), "a new connection answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_concurrent_requests_succeed_over_one_connection() {
    let (store, _) = store_with_one_connection().await;
    let service = Service::over(store, Settings::default(), None).await;
    let client = &service.client;
    join_all((0..50).map(|number| client.create_todo("/todos", json!({"title": number.to_string()})))).await;
    let clients = join_all((0..32).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..100 {
                let reply = client.get("/todos?limit=50").await;
                assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
                assert_eq!(reply.json().as_array().unwrap().len(), 50);
            }
        })
    }));
    clients.await.into_iter().for_each(Result::unwrap);
}

/// A store that logs in as a role of its own, and a connection of the superuser.
async fn store_with_own_role() -> (PostgresStore, PgConnection, String) {
    let database = fresh_postgres().await;
    let mut superuser = PgConnection::connect_with(&database).await.unwrap();
    PostgresStore::new(database.clone(), 1).migrate().await.unwrap();
    // Roles belong to the server, which may outlive this run and its databases.
    let role = format!("own_{}_{}", std::process::id(), database.get_database().unwrap());
    let create =
        format!("create role {role} login password 'x'; grant all on all tables in schema public to {role}");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut superuser).await.unwrap();
    (PostgresStore::new(database.username(&role).password("x"), 8), superuser, role)
}

#[rstest]
#[case::limit_of_connections("connection limit 1")]
#[case::changed_credentials("nologin")]
#[tokio::test]
async fn requests_share_the_open_connection_when_the_server_refuses_another(#[case] change: &str) {
    let (store, mut superuser, role) = store_with_own_role().await;
    let (collection, query) = (collection("", None), all_todos());
    // A replica is ready once it has answered this, and may get its first request after the change.
    store.schema_version().await.unwrap();
    let change = format!("alter role {role} {change}");
    sqlx::query(AssertSqlSafe(change)).execute(&mut superuser).await.unwrap();
    for result in join_all((0..16).map(|_| store.todos(&collection, &query))).await {
        assert_eq!(result.unwrap(), []);
    }
    let created = store.create_todo(&collection, new_todo("tea"), None).await.unwrap().stored;
    let place = TodoPlace { collection: collection.clone(), id: created.id };
    assert_eq!(store.todo(&place).await.unwrap(), created);
    // Without an open connection, the cause is the error.
    let end = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1";
    sqlx::query(end).bind(&role).execute(&mut superuser).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("alter role {role} nologin"))).execute(&mut superuser).await.unwrap();
    let refused =
        async { while !matches!(store.todos(&collection, &query).await, Err(Error::LoginRefused(_))) {} };
    timeout(Duration::from_secs(5), refused).await.expect("the error is that the login is refused");
}

#[tokio::test]
async fn a_request_that_gets_no_connection_fails_before_its_deadline() {
    let (store, options) = store_with_one_connection().await;
    let mut locking = PgConnection::connect_with(&options).await.unwrap();
    let service = Service::over(store, Settings::default(), None).await;
    let mut lock = locking.begin().await.unwrap();
    sqlx::query("lock table todos in access exclusive mode").execute(&mut *lock).await.unwrap();
    let (mut busy, mut shed) = (0, 0);
    for reply in join_all((0..4).map(|_| service.client.get("/todos"))).await {
        match reply.problem() {
            (503, slug) if slug == "database-unavailable" => busy += 1,
            (503, slug) if slug == "overloaded" => shed += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((busy, shed), (1, 3), "one had the connection, the others waited for it");
    lock.rollback().await.unwrap();
    assert_eq!(service.client.get("/todos").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_todo_is_read_by_index_even_from_a_small_table() {
    let (store, options) = store_with_one_connection().await;
    let mut database = PgConnection::connect_with(&options).await.unwrap();
    let service = Service::over(store, Settings::default(), None).await;
    service.client.create_todo("/todos", json!({"title": "tea"})).await;
    // With these statistics Postgres would prefer to read the single page of the table.
    sqlx::query("analyze todos").execute(&mut database).await.unwrap();
    // After five executions Postgres may keep a generic plan.
    for _ in 0..10 {
        assert_eq!(service.client.get("/todos/1").await.status, StatusCode::OK);
    }
    // Rows, not scans, since the migration scanned the empty table to create the indexes.
    let scans = "select coalesce(idx_scan, 0), seq_tup_read from pg_stat_user_tables where relname = 'todos'";
    let counted = async {
        loop {
            let (by_index, whole): (i64, i64) = sqlx::query_as(scans).fetch_one(&mut database).await.unwrap();
            // A process of Postgres publishes its statistics once a second, between two statements.
            if by_index >= 10 {
                return whole;
            }
            service.client.get("/todos/1").await;
        }
    };
    let whole = timeout(Duration::from_secs(20), counted).await.expect("the reads are counted");
    assert_eq!(whole, 0);
}
