//! Probes and metrics, and the service without its database.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use todostack_api::Settings;
use todostack_store_postgres::{PgConnectOptions, PostgresStore};

use crate::service::{On, Service, fresh_postgres, on_both_databases};

on_both_databases!(a_service_is_ready_until_it_drains);

async fn a_service_is_ready_until_it_drains(service: Service) {
    assert_eq!(service.probes.get("/readyz").await.status, StatusCode::OK);
    service.state.drain();
    let draining = service.probes.get("/readyz").await;
    assert_eq!(draining.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(draining.json()["ready"], false);
    assert_eq!(service.probes.get("/livez").await.status, StatusCode::OK);
    assert_eq!(service.client.get("/todos").await.status, StatusCode::OK, "requests are still processed");
}

#[tokio::test]
async fn a_service_on_a_database_that_was_not_migrated_is_not_ready() {
    let store = Arc::new(PostgresStore::new(fresh_postgres().await, 2));
    let service = Service::over(store, Settings::default(), None).await;
    let readyz = service.probes.get("/readyz").await;
    assert_eq!(readyz.status, StatusCode::FAILED_DEPENDENCY);
    assert_eq!(
        readyz.json()["checks"][2],
        json!({"name": "schema", "ok": false, "detail": "schema version 0, want 3"})
    );
    assert_eq!(service.client.get("/todos/1").await.problem(), (503, "schema-outdated".to_owned()));
    assert_eq!(service.client.get("/todos").await.problem(), (503, "schema-outdated".to_owned()));
    service.store.migrate().await.unwrap();
    assert_eq!(service.probes.get("/readyz").await.status, StatusCode::OK);
    assert_eq!(service.client.get("/todos").await.status, StatusCode::OK, "it recovers by itself");
}

#[tokio::test]
async fn a_service_without_access_to_its_database_asks_for_a_migration() {
    let options = fresh_postgres().await.database("there_is_no_such_database");
    let store = Arc::new(PostgresStore::new(options, 2));
    let service = Service::over(store, Settings::default(), None).await;
    assert_eq!(service.probes.get("/readyz").await.status, StatusCode::FAILED_DEPENDENCY);
    service.state.drain();
    assert_eq!(service.probes.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn without_a_database_every_request_fails_and_the_process_is_alive() {
    // Nothing listens on port 9 (discard).
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(9).username("todo");
    let store = Arc::new(PostgresStore::new(options, 2));
    let service = Service::over(store, Settings::default(), None).await;
    let replies = [
        service.client.get("/todos").await,
        service.client.get("/todos/1").await,
        service.client.post("/todos", json!({"title": "tea"})).await,
        service.client.patch("/todos/1", json!({"title": "tea"})).await,
        service.client.delete("/todos").await,
    ];
    for reply in replies {
        assert_eq!(reply.problem(), (503, "database-unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), "5");
        assert!(!String::from_utf8_lossy(&reply.body).contains("127.0.0.1"), "responses have no internals");
    }
    let readyz = service.probes.get("/readyz").await;
    assert_eq!(readyz.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(readyz.json()["checks"][1]["detail"].as_str().unwrap().contains("refused"), "{readyz:?}");
    assert_eq!(service.probes.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_requests_by_route_not_by_path() {
    let service = Service::start(On::Sqlite).await;
    for id in 1..=3 {
        service.client.get(&format!("/todos/{id}")).await;
    }
    service.client.get("/nope").await;
    let text = String::from_utf8(service.probes.get("/metrics").await.body.to_vec()).unwrap();
    for line in [
        r#"http_server_request_duration_seconds_count{method="GET",route="/todos/{id}",status="404"} 3"#,
        r#"http_server_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1"#,
        "todostack_api_database_connections_max 5",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}
