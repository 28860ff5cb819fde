//! Lists, and that todos of different lists never mix. Todos themselves are in `todos`.

use http::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::service::{On, Service};

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test]
async fn a_list_has_todos_of_its_own(#[case] on: On) {
    let service = Service::start(on).await;
    let client = &service.client;
    let created = client.post("/lists", json!({"name": "shop"})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let list = created.json();
    assert_eq!((created.header("location"), &list["name"]), (list["url"].as_str().unwrap(), &json!("shop")));
    let todos = list["todosUrl"].as_str().unwrap();
    let milk = client.create_todo(todos, json!({"title": "milk"})).await;
    client.create_todo("/todos", json!({"title": "elsewhere"})).await;
    assert_eq!(client.titles(todos).await, ["milk"]);
    assert_eq!(client.titles("/todos").await, ["elsewhere"]);
    assert_eq!(client.get(milk["url"].as_str().unwrap()).await.json(), milk);
    // The todo does not exist under the path of another list.
    let id = &milk["id"];
    for path in [format!("/todos/{id}"), format!("/lists/99/todos/{id}")] {
        assert_eq!(client.get(&path).await.problem(), (404, "todo-not-found".to_owned()));
        assert_eq!(client.delete(&path).await.problem(), (404, "todo-not-found".to_owned()));
    }
    assert_eq!(client.delete(todos).await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.titles("/todos").await, ["elsewhere"]);
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test]
async fn deleting_a_list_deletes_its_todos(#[case] on: On) {
    let service = Service::start(on).await;
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    client.create_todo("/lists/1/todos", json!({"title": "milk"})).await;
    assert_eq!(client.delete("/lists/1").await.status, StatusCode::NO_CONTENT);
    for path in ["/lists/1", "/lists/1/todos"] {
        assert_eq!(client.get(path).await.problem(), (404, "list-not-found".to_owned()));
        assert_eq!(client.delete(path).await.problem(), (404, "list-not-found".to_owned()));
    }
    let post = client.post("/lists/1/todos", json!({"title": "late"})).await;
    assert_eq!(post.problem(), (404, "list-not-found".to_owned()));
    assert_eq!(client.get("/lists/1/todos/1").await.problem(), (404, "todo-not-found".to_owned()));
    assert_eq!(client.get("/lists").await.json(), json!([]));
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test]
async fn an_empty_list_is_not_a_missing_one(#[case] on: On) {
    let service = Service::start(on).await;
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    for path in ["/lists/1/todos", "/lists/1/todos?sort=-order&limit=1&q=tea"] {
        assert_eq!(client.get(path).await.json(), json!([]));
    }
    for path in ["/lists/1/todos?completed=true", "/lists/1/todos"] {
        assert_eq!(client.delete(path).await.status, StatusCode::NO_CONTENT);
    }
    for sort in ["created", "-created", "order", "-order"] {
        let missing = client.get(&format!("/lists/2/todos?sort={sort}")).await;
        assert_eq!(missing.problem(), (404, "list-not-found".to_owned()));
    }
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test]
async fn lists_are_paginated(#[case] on: On) {
    let service = Service::start(on).await;
    let client = &service.client;
    for name in ["a", "b", "c"] {
        assert_eq!(client.post("/lists", json!({"name": name})).await.status, StatusCode::CREATED);
    }
    let first = client.get("/lists?limit=2").await;
    let next = first.header("link").trim_start_matches('<').split_once('>').unwrap().0.to_owned();
    let second = client.get(&next).await;
    assert!(second.headers.get("link").is_none());
    let names: Vec<_> = [first.json(), second.json()]
        .iter()
        .flat_map(|page| page.as_array().unwrap().clone())
        .map(|list| list["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}
