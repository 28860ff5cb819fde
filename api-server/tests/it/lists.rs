//! Lists, and that todos of different lists never mix. Todos themselves are in `todos`.

use http::StatusCode;
use serde_json::json;

use crate::service::{Service, on_both_databases};

on_both_databases!(
    a_list_has_todos_of_its_own,
    deleting_a_list_deletes_its_todos,
    an_empty_list_is_not_a_missing_one,
    lists_are_paginated,
);

async fn a_list_has_todos_of_its_own(service: Service) {
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

async fn deleting_a_list_deletes_its_todos(service: Service) {
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

async fn an_empty_list_is_not_a_missing_one(service: Service) {
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

async fn lists_are_paginated(service: Service) {
    let client = &service.client;
    for name in ["a", "b", "c"] {
        assert_eq!(client.post("/lists", json!({"name": name})).await.status, StatusCode::CREATED);
    }
    let first = client.get("/lists?limit=2").await;
    let second = client.get(&first.next_page().unwrap()).await;
    assert_eq!((first.texts("name"), second.texts("name")), (vec!["a".into(), "b".into()], vec!["c".into()]));
    assert_eq!(second.next_page(), None);
}
