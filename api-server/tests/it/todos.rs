//! `/todos` beyond the TodoBackend contract, which is in `todobackend`.

use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;

use crate::service::{On, Service, on_both_databases};

on_both_databases!(
    a_new_todo_has_all_its_fields,
    a_merge_patch_changes_its_fields_and_null_removes_a_value,
    put_replaces_all_fields_and_creates_nothing,
    completed_todos_are_deleted_in_one_request,
);

async fn a_new_todo_has_all_its_fields(service: Service) {
    let (due, tags) = ("2026-12-01", ["home", "é"]);
    let body = json!({"title": "tea", "order": 3, "dueDate": due, "tags": tags, "priority": "high"});
    let reply = service.client.post("/todos", body).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let created = reply.json();
    assert_eq!(reply.header("location"), created["url"]);
    assert_eq!(created["url"], format!("{}/todos/{}", service.client.base, created["id"]));
    insta::allow_duplicates! {
        let (url, time) = ("[url]", "[time]");
        insta::assert_json_snapshot!(created, {".url" => url, ".createdAt" => time, ".updatedAt" => time}, @r#"
        {
          "completed": false,
          "createdAt": "[time]",
          "dueDate": "2026-12-01",
          "id": 1,
          "order": 3,
          "priority": "high",
          "tags": [
            "home",
            "é"
          ],
          "title": "tea",
          "updatedAt": "[time]",
          "url": "[url]"
        }
        "#);
    }
    assert_eq!(service.client.get("/todos/1").await.json(), created);
    assert_eq!(service.client.get("/todos").await.json(), json!([created]));
}

async fn a_merge_patch_changes_its_fields_and_null_removes_a_value(service: Service) {
    let full =
        json!({"title": "tea", "order": 3, "dueDate": "2026-12-01", "tags": ["a"], "priority": "high"});
    let created = service.client.create_todo("/todos", full).await;
    let patched =
        service.client.patch("/todos/1", json!({"order": null, "priority": null, "tags": null})).await;
    assert_eq!(patched.status, StatusCode::OK);
    let patched = patched.json();
    for (field, value) in [("order", json!(null)), ("priority", json!(null)), ("tags", json!([]))] {
        assert_eq!(patched[field], value, "{field}");
    }
    for field in ["title", "dueDate", "completed", "createdAt", "url"] {
        assert_eq!(patched[field], created[field], "{field}");
    }
}

async fn put_replaces_all_fields_and_creates_nothing(service: Service) {
    service.client.create_todo("/todos", json!({"title": "tea", "order": 3, "tags": ["a"]})).await;
    let replaced = service.client.put("/todos/1", json!({"title": "coffee", "completed": true})).await.json();
    assert_eq!(replaced["title"], "coffee");
    assert_eq!(replaced["completed"], true);
    assert_eq!((&replaced["order"], &replaced["tags"]), (&json!(null), &json!([])));
    let missing = service.client.put("/todos/99", json!({"title": "x"})).await;
    assert_eq!(missing.problem(), (404, "todo-not-found".to_owned()));
    assert_eq!(service.client.titles("/todos").await, ["coffee"]);
}

async fn completed_todos_are_deleted_in_one_request(service: Service) {
    for (title, completed) in [("a", true), ("b", false), ("c", true)] {
        service.client.create_todo("/todos", json!({"title": title, "completed": completed})).await;
    }
    assert_eq!(service.client.delete("/todos?completed=true").await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.client.titles("/todos").await, ["b"]);
}

#[tokio::test]
async fn head_returns_the_headers_of_get_without_the_body() {
    let service = Service::start(On::Sqlite).await;
    let client = &service.client;
    client.create_todo("/todos", json!({"title": "tea"})).await;
    for path in ["/todos", "/todos/1", "/lists"] {
        let (get, head) = (client.get(path).await, client.send(client.request(Method::HEAD, path), "").await);
        assert_eq!((head.status, head.body.len()), (get.status, 0));
        for header in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(header), get.header(header), "{path}");
        }
    }
}

#[rstest]
#[case::all("", &["Tea", "coffee", "green tea", "50% off_"])]
#[case::open("?completed=false", &["coffee", "green tea", "50% off_"])]
#[case::done("?completed=true", &["Tea"])]
#[case::text("?q=TEA", &["Tea", "green tea"])]
#[case::percent_is_no_wildcard("?q=%25", &["50% off_"])]
#[case::underscore_is_no_wildcard("?q=_", &["50% off_"])]
#[case::both("?q=tea&completed=false", &["green tea"])]
#[case::newest_first("?sort=-created", &["50% off_", "green tea", "coffee", "Tea"])]
#[case::by_order("?sort=order", &["coffee", "Tea", "green tea", "50% off_"])]
#[case::by_order_reversed("?sort=-order", &["50% off_", "green tea", "Tea", "coffee"])]
#[tokio::test]
async fn todos_are_filtered_and_sorted(#[case] query: &str, #[case] expected: &[&str]) {
    for on in [On::Postgres, On::Sqlite] {
        let service = Service::start(on).await;
        for (title, order, completed) in [
            ("Tea", Some(2), true),
            ("coffee", Some(1), false),
            ("green tea", None, false),
            ("50% off_", None, false),
        ] {
            let todo = json!({"title": title, "order": order, "completed": completed});
            service.client.create_todo("/todos", todo).await;
        }
        assert_eq!(service.client.titles(&format!("/todos{query}")).await, expected, "{on:?}");
    }
}

#[rstest]
#[case::created("created")]
#[case::created_descending("-created")]
#[case::order("order")]
#[case::order_descending("-order")]
#[tokio::test]
async fn pages_have_no_gaps_and_no_repetitions(#[case] sort: &str) {
    for on in [On::Postgres, On::Sqlite] {
        let service = Service::start(on).await;
        for number in 0..7 {
            let order = (number % 3 > 0).then_some(number % 3);
            let todo = json!({"title": format!("todo {number}"), "order": order});
            service.client.create_todo("/todos", todo).await;
        }
        let all = service.client.titles(&format!("/todos?sort={sort}&q=todo")).await;
        assert_eq!(all.len(), 7);
        let mut paged = Vec::new();
        let mut next = Some(format!("{}/todos?sort={sort}&q=todo&limit=3", service.client.base));
        while let Some(address) = next {
            let reply = service.client.get(&address).await;
            paged.extend(reply.texts("title"));
            next = reply.next_page();
        }
        assert_eq!(paged, all, "{on:?}");
    }
}

#[rstest]
#[case::less_than_a_page(999)]
#[case::a_page(1_000)]
#[case::more_than_a_page(1_001)]
#[case::two_pages(2_000)]
#[tokio::test]
async fn without_a_limit_all_todos_are_returned(#[case] count: usize) {
    let service = Service::start(On::Postgres).await;
    let created = (0..count).map(|n| service.client.create_todo("/todos", json!({"title": format!("{n}")})));
    futures::future::join_all(created).await;
    let all = service.client.get("/todos").await;
    let mut numbers: Vec<usize> = all.texts("title").iter().map(|title| title.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..count));
    assert_eq!(all.headers.contains_key("etag"), count < 1_000, "a streamed collection has no ETag");
}
