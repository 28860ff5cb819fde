//! A PgBouncer between the service and Postgres. What it needs is in docs/poolers.md.

use std::{process::Command, sync::Arc};

use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use todostack_api::Settings;
use todostack_dev_postgres::{Options, PgBouncer};
use todostack_store::Store;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};

use crate::{event_stream::EventStream, postgres_server::PostgresServer, service::Service};

const SESSION: &str = "pool_mode = session\nignore_startup_parameters = options";

/// A database whose owner is no superuser, and a pooler in front of it with these settings.
async fn pooled(settings: &str) -> (PostgresServer, PgBouncer, PgConnectOptions) {
    let server = PostgresServer::start(&Options::default().without_durability());
    let mut connection = server.connect().await;
    for statement in ["create role shop login", "create database shop owner shop"] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    let pooler = server.pooler("shop", settings);
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(pooler.port());
    (server, pooler, options.username("shop").database("shop"))
}

#[tokio::test]
async fn a_service_works_through_a_pooler_in_session_mode() {
    let (_server, _pooler, options) = pooled(SESSION).await;
    let store = Arc::new(PostgresStore::new(options, 2));
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    let service = Service::over(store, Settings::default(), None).await;
    let readyz = service.probes.get("/readyz").await;
    assert_eq!(readyz.status, StatusCode::OK, "{readyz:?}");

    // The position in the log needs the identity of the server, which every role may read.
    let mut events = EventStream::open(&service.client).await;
    let todo = service.client.post("/todos", json!({"title": "tea"})).await;
    assert_eq!(todo.status, StatusCode::CREATED);
    let url = todo.json()["url"].as_str().unwrap().to_owned();
    assert_eq!(events.next().await.data["todo"]["title"], "tea");
    let changed = service.client.patch(&url, json!({"completed": true})).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(events.next().await.data["todo"]["completed"], true);
    assert_eq!(service.client.get(&url).await.json()["completed"], true);
    assert_eq!(service.client.titles("/todos").await, ["tea"]);
    assert_eq!(service.client.delete("/todos").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn migrations_at_once_through_a_pooler_wait_for_each_other() {
    let (_server, _pooler, options) = pooled(SESSION).await;
    let stores = [(); 4].map(|()| PostgresStore::new(options.clone(), 1));
    let migrations = stores.iter().map(Store::migrate);
    for version in futures::future::join_all(migrations).await {
        assert!(version.unwrap().serves());
    }
}

#[rstest]
#[case::startup_options("pool_mode = session", "ignore_startup_parameters = options")]
#[case::transactions("pool_mode = transaction\nignore_startup_parameters = options", "pool_mode = session")]
#[case::statements("pool_mode = statement\nignore_startup_parameters = options", "pool_mode = session")]
#[tokio::test]
async fn a_pooler_that_does_not_work_is_reported_with_the_line_to_set(
    #[case] settings: &str,
    #[case] line: &str,
) {
    let (server, _pooler, options) = pooled(settings).await;
    let port = options.get_port().to_string();
    let mut check = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    check.args(["migrate", "--check"]).env_clear().env("PGHOST", "127.0.0.1").env("PGPORT", &port);
    let output = check.env("PGUSER", "shop").env("PGDATABASE", "shop").output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    let expected = format!("the connection pooler lacks a setting that this service needs, {line}: ");
    assert!(!output.status.success() && printed.contains(&expected), "{printed}");

    let store = Arc::new(PostgresStore::new(options, 2));
    let error = store.migrate().await.unwrap_err().to_string();
    assert!(error.ends_with(line), "{error}");
    let mut database = PgConnection::connect_with(&server.options().database("shop")).await.unwrap();
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut database).await.unwrap();
    assert_eq!(tables, 0, "nothing was migrated");

    let service = Service::over(store, Settings::default(), None).await;
    let readyz = service.probes.get("/readyz").await;
    assert_eq!(readyz.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(readyz.json()["checks"][1]["detail"].as_str().unwrap().contains(line), "{readyz:?}");
    assert_eq!(service.client.get("/todos").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
