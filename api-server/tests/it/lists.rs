//! Lists, and that todos of different lists never mix. Todos themselves are in `todos`.

use http::StatusCode;
use serde_json::json;

use crate::service::{Service, on_both_databases};

on_both_databases!(
    a_list_has_todos_of_its_own,
    deleting_a_list_deletes_its_todos,
    an_empty_list_is_not_a_missing_one,
    lists_are_paginated_in_each_order,
    a_list_is_renamed_and_moved,
    a_parameter_names_the_list,
    no_list_has_the_number_of_the_default_list,
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

async fn lists_are_paginated_in_each_order(service: Service) {
    let client = &service.client;
    for (name, order) in [("a", json!(2)), ("b", json!(null)), ("c", json!(-1)), ("d", json!(2))] {
        let created = client.post("/lists", json!({"name": name, "order": order})).await;
        assert_eq!(created.status, StatusCode::CREATED);
    }
    for (sort, expected) in [("created", "abcd"), ("-created", "dcba"), ("order", "cadb"), ("-order", "bdac")]
    {
        for limit in 1..5 {
            let mut page = Some(format!("/lists?limit={limit}&sort={sort}"));
            let mut names = String::new();
            while let Some(address) = page {
                let reply = client.get(&address).await;
                names.extend(reply.texts("name"));
                page = reply.next_page();
            }
            assert_eq!(names, expected, "{sort}, {limit} at a time");
        }
    }
}

async fn a_list_is_renamed_and_moved(service: Service) {
    let client = &service.client;
    let created = client.post("/lists", json!({"name": "shop"})).await.json();
    let renamed = client.patch("/lists/1", json!({"name": "market"})).await;
    assert_eq!(renamed.status, StatusCode::OK);
    let mut expected = created;
    expected["name"] = json!("market");
    expected["updatedAt"] = renamed.json()["updatedAt"].clone();
    assert_eq!(renamed.json(), expected);
    let moved = client.patch("/lists/1", json!({"order": 5.0})).await;
    assert_eq!((&moved.json()["name"], &moved.json()["order"]), (&json!("market"), &json!(5)));
    assert_eq!(client.get("/lists/1").await.json(), moved.json());
    let removed = client.patch("/lists/1", json!({"order": null})).await;
    assert_eq!(removed.json()["order"], json!(null));
    let invalid = client.patch("/lists/1", json!({"name": null, "order": 1e300})).await;
    assert_eq!(invalid.problem(), (422, "invalid-body".to_owned()));
    assert_eq!(client.patch("/lists/2", json!({})).await.problem(), (404, "list-not-found".to_owned()));
}

async fn a_parameter_names_the_list(service: Service) {
    let client = &service.client;
    client.post("/lists", json!({"name": "shop"})).await;
    for (list, title) in [("", "tea"), ("", "cup"), ("?list=1", "milk"), ("?list=1", "bread")] {
        client
            .create_todo(&format!("/todos{list}"), json!({"title": title, "completed": title == "milk"}))
            .await;
    }
    assert_eq!(client.get("/todos?list=1").await.json(), client.get("/lists/1/todos").await.json());
    assert_eq!(client.titles("/todos?list=1&completed=false&q=BRE").await, ["bread"]);
    let first = client.get("/todos?list=1&limit=1&sort=-created").await;
    assert_eq!(first.texts("title"), ["bread"]);
    assert_eq!(client.titles(&first.next_page().unwrap()).await, ["milk"]);
    assert_eq!(client.delete("/todos?list=1&completed=true").await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.titles("/todos?list=1").await, ["bread"]);
    assert_eq!(client.titles("/todos").await, ["tea", "cup"]);
    assert_eq!(client.titles("/lists/1/todos?list=1").await, ["bread"]);
    for (path, problem) in [
        ("/todos?list=2", (404, "list-not-found")),
        ("/todos?list=-1", (404, "list-not-found")),
        ("/todos?list=shop", (400, "invalid-parameter")),
        ("/lists/1/todos?list=2", (400, "invalid-parameter")),
    ] {
        for reply in [client.get(path).await, client.delete(path).await] {
            assert_eq!(reply.problem(), (problem.0, problem.1.to_owned()), "{path}");
        }
    }
}

async fn no_list_has_the_number_of_the_default_list(service: Service) {
    let client = &service.client;
    client.create_todo("/todos", json!({"title": "tea"})).await;
    for path in ["/lists/0/todos", "/todos?list=0"] {
        for reply in [client.get(path).await, client.delete(path).await] {
            assert_eq!(reply.problem(), (404, "list-not-found".to_owned()));
        }
    }
    assert_eq!(client.delete("/lists/0/todos/1").await.problem(), (404, "todo-not-found".to_owned()));
    assert_eq!(client.titles("/todos").await, ["tea"]);
}
