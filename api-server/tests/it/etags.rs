//! ETags, `If-None-Match` and `If-Match`.

use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;

use crate::service::{On, Service};

#[rstest]
#[case::todo("/todos")]
#[case::list("/lists")]
#[tokio::test]
async fn what_is_unchanged_is_not_sent_again(#[case] collection: &str) {
    for on in [On::Postgres, On::Sqlite] {
        let service = Service::start(on).await;
        let client = &service.client;
        let created = client.post(collection, json!({"title": "tea", "name": "tea"})).await;
        let (etag, member) = (created.header("etag").to_owned(), format!("{collection}/1"));
        let again = async || {
            client.send(client.request(Method::GET, &member).header("if-none-match", &etag), "").await
        };
        let unchanged = again().await;
        assert_eq!((unchanged.status, unchanged.header("etag")), (StatusCode::NOT_MODIFIED, &*etag));
        assert!(unchanged.body.is_empty());
        client.patch(&member, json!({"order": 1})).await;
        let changed = again().await;
        assert_eq!(changed.status, StatusCode::OK);
        assert_ne!(changed.header("etag"), etag);
    }
}

#[rstest]
#[case::todos("/todos", "/todos")]
#[case::a_page("/todos?limit=1&sort=-created", "/todos")]
#[case::todos_of_a_list("/lists/1/todos", "/lists/1/todos")]
#[case::lists("/lists", "/lists")]
#[tokio::test]
async fn an_unchanged_collection_is_not_sent_again(#[case] path: &str, #[case] collection: &str) {
    for on in [On::Postgres, On::Sqlite] {
        let service = Service::start(on).await;
        let client = &service.client;
        client.post("/lists", json!({"name": "shop"})).await;
        let get = async |etags: &str| {
            client.send(client.request(Method::GET, path).header("if-none-match", etags), "").await
        };
        let mut seen = get("").await.header("etag").to_owned();
        let (body, member) = (json!({"title": "tea", "name": "tea"}), format!("{collection}/1"));
        for (method, address) in [
            (Method::POST, collection),
            (Method::PATCH, &*member),
            (Method::POST, collection),
            (Method::DELETE, &*member),
        ] {
            let request = client.request(method.clone(), address).header("content-type", "application/json");
            let done = client.send(request, body.to_string()).await;
            assert!(done.status.is_success(), "{done:?}");
            let changed = get(&seen).await;
            assert_eq!(changed.status, StatusCode::OK, "{on:?}, after {method} {address}, with {seen}");
            let etag = changed.header("etag");
            seen = format!("{seen}, W/{etag}");
            let unchanged = get(&seen).await;
            assert_eq!((unchanged.status, unchanged.header("etag")), (StatusCode::NOT_MODIFIED, etag));
            assert!(unchanged.body.is_empty());
        }
    }
}

#[rstest]
#[case("/todos")]
#[case("/todos/1")]
#[case("/lists")]
#[tokio::test]
async fn an_etag_without_quotes_is_rejected(#[case] path: &str) {
    let service = Service::start(On::Sqlite).await;
    let request = service.client.request(Method::GET, path).header("if-none-match", "1.7");
    assert_eq!(service.client.send(request, "").await.problem(), (400, "invalid-header".to_owned()));
}

#[rstest]
#[case::put(Method::PUT, "/todos", r#"{"title":"late"}"#)]
#[case::patch(Method::PATCH, "/todos", r#"{"title":"late"}"#)]
#[case::delete(Method::DELETE, "/todos", "")]
#[case::patch_list(Method::PATCH, "/lists", r#"{"name":"late"}"#)]
#[case::delete_list(Method::DELETE, "/lists", "")]
#[tokio::test]
async fn a_change_of_a_version_that_the_client_has_not_seen_is_rejected(
    #[case] method: Method,
    #[case] collection: &str,
    #[case] body: &'static str,
) {
    let missing = format!("{}-not-found", collection.trim_matches(['/', 's']));
    for on in [On::Postgres, On::Sqlite] {
        let service = Service::start(on).await;
        let client = &service.client;
        let old = client.post(collection, json!({"title": "tea", "name": "tea"})).await;
        let old = old.header("etag").to_owned();
        let member = format!("{collection}/1");
        let new = client.patch(&member, json!({"order": 1})).await.header("etag").to_owned();
        let change = async |etag: &str, path: &str| {
            let request = client.request(method.clone(), path).header("if-match", etag);
            client.send(request.header("content-type", "application/json"), body).await
        };
        assert_eq!(change(&old, &member).await.problem(), (412, "precondition-failed".to_owned()));
        assert_eq!(change(&old, &format!("{collection}/2")).await.problem(), (404, missing.clone()));
        assert_eq!(client.get(&member).await.header("etag"), new, "a rejected change changes nothing");
        assert!(change(&format!("W/{new}"), &member).await.status.is_success());
    }
}
