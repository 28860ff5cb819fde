//! The 16 assertions of the TodoBackend contract, with the requests of its client: from another origin, with
//! the `Accept` of jQuery. What `/todos` does beyond it is in `todos`.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    client::Reply,
    service::{Service, on_both_databases},
};

async fn send(service: &Service, method: Method, path: &str, body: Option<Value>) -> Reply {
    let request = service
        .client
        .request(method, path)
        .header("origin", "https://todobackend.com")
        .header("accept", "text/plain, */*; q=0.01")
        .header("content-type", "application/json");
    let reply = service.client.send(request, body.map(|body| body.to_string()).unwrap_or_default()).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.status.is_success(), "{reply:?}");
    reply
}

async fn get(service: &Service, path: &str) -> Value {
    send(service, Method::GET, path, None).await.json()
}

async fn post(service: &Service, body: Value) -> Value {
    send(service, Method::POST, "/todos", Some(body)).await.json()
}

async fn patch(service: &Service, url: &str, body: Value) -> Value {
    send(service, Method::PATCH, url, Some(body)).await.json()
}

fn url(todo: &Value) -> &str {
    todo["url"].as_str().expect("url is a string")
}

on_both_databases!(
    the_collection_supports_get_post_and_delete,
    a_new_todo_is_stored_with_its_url,
    an_existing_todo_is_read_changed_and_deleted,
    the_order_of_a_todo_is_kept,
);

async fn the_collection_supports_get_post_and_delete(service: Service) {
    // 1: the prerequisite, a GET from another origin
    get(&service, "/todos").await;
    // 2: POST returns the todo
    assert_eq!(post(&service, json!({"title": "a todo"})).await["title"], "a todo");
    // 3, 4: DELETE succeeds, and then GET returns an empty array
    send(&service, Method::DELETE, "/todos", None).await;
    assert_eq!(get(&service, "/todos").await, json!([]));
}

async fn a_new_todo_is_stored_with_its_url(service: Service) {
    let created = post(&service, json!({"title": "walk the dog"})).await;
    // 5: it is in the list
    let list = get(&service, "/todos").await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["title"], "walk the dog");
    // 6: it is not completed, in both responses
    assert_eq!((&created["completed"], &list[0]["completed"]), (&json!(false), &json!(false)));
    // 7, 8: it has a url, in both responses, that returns it
    assert_eq!(url(&created), url(&list[0]));
    assert_eq!(get(&service, url(&created)).await["title"], "walk the dog");
}

async fn an_existing_todo_is_read_changed_and_deleted(service: Service) {
    // 9: two created at once, each found by its url in the list
    let (first, _second) =
        tokio::join!(post(&service, json!({"title": "one"})), post(&service, json!({"title": "two"})));
    let list = get(&service, "/todos").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(get(&service, url(&list[0])).await["title"], list[0]["title"]);
    // 10: PATCH of the title
    assert_eq!(
        patch(&service, url(&first), json!({"title": "bathe the cat"})).await["title"],
        "bathe the cat"
    );
    // 11: PATCH of completed
    assert_eq!(patch(&service, url(&first), json!({"completed": true})).await["completed"], true);
    // 12: changes persist, by url and in the list
    patch(&service, url(&first), json!({"title": "changed", "completed": true})).await;
    let list = get(&service, "/todos").await;
    let listed = list.as_array().unwrap().iter().find(|todo| url(todo) == url(&first)).unwrap();
    for seen in [listed, &get(&service, url(&first)).await] {
        assert_eq!((&seen["title"], &seen["completed"]), (&json!("changed"), &json!(true)));
    }
    // 13: after DELETE it does not exist
    send(&service, Method::DELETE, url(&first), None).await;
    assert_eq!(service.client.titles("/todos").await, ["two"]);
    assert_eq!(service.client.get(url(&first)).await.status, StatusCode::NOT_FOUND);
}

async fn the_order_of_a_todo_is_kept(service: Service) {
    // 14: POST with an order
    let created = post(&service, json!({"title": "blah", "order": 523})).await;
    assert_eq!(created["order"], 523);
    // 15: PATCH of the order
    assert_eq!(patch(&service, url(&created), json!({"order": 95})).await["order"], 95);
    // 16: it persists
    assert_eq!(get(&service, url(&created)).await["order"], 95);
}
