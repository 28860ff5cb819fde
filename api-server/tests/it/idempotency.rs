//! `Idempotency-Key`: a repeated POST creates nothing and gets the first response.

use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;
use sqlx::Connection as _;

use crate::{
    client::{Client, Reply},
    service::{On, Service, on_both_databases},
};

async fn post(client: &Client, path: &str, key: &str, body: &str) -> Reply {
    let request = client.request(Method::POST, path).header("content-type", "application/json");
    client.send(request.header("idempotency-key", key), body.to_owned()).await
}

const TEA: &str = r#"{"title":"tea","tags":["a"]}"#;

on_both_databases!(
    a_repeated_request_gets_the_first_response_and_creates_nothing,
    a_repeated_request_to_a_deleted_list_fails,
    a_key_cannot_be_used_for_another_request,
    of_concurrent_requests_with_one_key_one_creates_a_todo,
    a_list_is_created_once,
);

async fn a_repeated_request_gets_the_first_response_and_creates_nothing(service: Service) {
    let client = &service.client;
    let first = post(client, "/todos", "k1", TEA).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert!(first.headers.get("idempotency-replayed").is_none());
    // Later changes of the todo do not change the response.
    client.patch("/todos/1", json!({"title": "coffee"})).await;
    let again = post(client, "/todos", "\"k1\"", TEA).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    for header in ["location", "etag"] {
        assert_eq!(again.header(header), first.header(header));
    }
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(client.titles("/todos").await, ["coffee"]);
    assert_eq!(post(client, "/todos", "k2", TEA).await.status, StatusCode::CREATED);
    assert_eq!(client.titles("/todos").await, ["coffee", "tea"]);
}

async fn a_list_is_created_once(service: Service) {
    let client = &service.client;
    let shop = r#"{"name":"shop","order":3}"#;
    let first = post(client, "/lists", "k1", shop).await;
    assert_eq!(first.status, StatusCode::CREATED);
    client.patch("/lists/1", json!({"name": "market"})).await;
    let again = post(client, "/lists", "k1", shop).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.header("idempotency-replayed"), "true");
    for (path, body) in [("/lists", r#"{"name":"other"}"#), ("/todos", TEA)] {
        let reply = post(client, path, "k1", body).await;
        assert_eq!(reply.problem(), (422, "idempotency-key-reused".to_owned()));
    }
    assert_eq!(client.get("/lists").await.texts("name"), ["market"]);
}

async fn a_repeated_request_to_a_deleted_list_fails(service: Service) {
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    for _ in 0..2 {
        let reply = post(client, "/lists/1/todos", "k1", TEA).await;
        assert_eq!((reply.status, &reply.json()["id"]), (StatusCode::CREATED, &json!(1)));
    }
    client.delete("/lists/1").await;
    for key in ["k1", "k2"] {
        let reply = post(client, "/lists/1/todos", key, TEA).await;
        assert_eq!(reply.problem(), (404, "list-not-found".to_owned()), "{key}");
    }
}

async fn a_key_cannot_be_used_for_another_request(service: Service) {
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    post(client, "/todos", "k1", TEA).await;
    for (path, body) in [("/todos", r#"{"title":"coffee"}"#), ("/lists/1/todos", TEA)] {
        let reply = post(client, path, "k1", body).await;
        assert_eq!(reply.problem(), (422, "idempotency-key-reused".to_owned()));
    }
    assert_eq!(client.titles("/todos").await, ["tea"]);
}

async fn of_concurrent_requests_with_one_key_one_creates_a_todo(service: Service) {
    let replies =
        futures::future::join_all((0..20).map(|_| post(&service.client, "/todos", "k1", TEA))).await;
    for reply in replies {
        if reply.status != StatusCode::CREATED {
            assert_eq!(reply.problem(), (409, "idempotency-key-in-flight".to_owned()));
            assert_eq!(reply.header("retry-after"), "1");
        }
    }
    assert_eq!(service.client.titles("/todos").await, ["tea"]);
}

#[tokio::test]
async fn a_key_that_another_replica_is_processing_is_a_conflict() {
    let service = Service::start(On::Postgres).await;
    let mut other = service.postgres().await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('k1', hashtextextended('', 0)))")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let reply = post(&service.client, "/todos", "k1", TEA).await;
    assert_eq!(reply.problem(), (409, "idempotency-key-in-flight".to_owned()));
    transaction.rollback().await.unwrap();
    assert_eq!(post(&service.client, "/todos", "k1", TEA).await.status, StatusCode::CREATED);
}

/// A repetition may reach any replica, at once.
#[tokio::test]
async fn a_request_that_was_answered_holds_no_key() {
    let service = Service::start(On::Postgres).await;
    let mut other = service.postgres().await;
    post(&service.client, "/todos", "k1", TEA).await;
    for (body, status) in [(TEA, StatusCode::CREATED), (r#"{"title":"x"}"#, StatusCode::UNPROCESSABLE_ENTITY)]
    {
        assert_eq!(post(&service.client, "/todos", "k1", body).await.status, status);
        let lock = "select pg_try_advisory_xact_lock(hashtextextended('k1', hashtextextended('', 0)))";
        assert!(sqlx::query_scalar::<_, bool>(lock).fetch_one(&mut other).await.unwrap(), "{body}");
    }
}

#[tokio::test]
async fn an_expired_key_can_be_used_again_and_is_deleted() {
    let service = Service::start(On::Postgres).await;
    post(&service.client, "/todos", "k1", TEA).await;
    post(&service.client, "/todos", "k2", TEA).await;
    let mut database = service.postgres().await;
    sqlx::query("update idempotency_keys set expires_at = now()").execute(&mut database).await.unwrap();
    let reply = post(&service.client, "/todos", "k1", r#"{"title":"coffee"}"#).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(service.store.delete_expired_keys().await.unwrap(), 1);
}

#[rstest]
#[case::empty("")]
#[case::too_long(&"k".repeat(256))]
#[tokio::test]
async fn an_invalid_key_is_rejected(#[case] key: &str) {
    let service = Service::start(On::Sqlite).await;
    let reply = post(&service.client, "/todos", key, TEA).await;
    assert_eq!(reply.problem(), (400, "invalid-header".to_owned()));
    assert_eq!(reply.json()["errors"][0]["pointer"], "idempotency-key");
}
