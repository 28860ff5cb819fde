//! What is exported imports again to the same todos.

use std::sync::atomic::{AtomicU32, Ordering};

use http::StatusCode;
use proptest::{prelude::*, test_runner::TestRunner};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::import;
use crate::service::{On, Service};

fn text(max: usize) -> impl Strategy<Value = String> {
    let any = prop::collection::vec(any::<char>().prop_filter("Postgres has no NUL", |c| *c != '\0'), 1..max);
    let text = prop_oneof![any.prop_map(String::from_iter), "[ -~]{1,20}"];
    text.prop_filter("it is not blank", |text| !text.trim().is_empty())
}

fn todo() -> impl Strategy<Value = Value> {
    let order = prop_oneof![-9_007_199_254_740_991..=9_007_199_254_740_991_i64, -2..3_i64];
    let date = (1..=9_999, 1..=12, 1..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let tags = prop::collection::btree_set(text(20), 0..4);
    let priority = prop::sample::select(vec![json!(null), json!("low"), json!("medium"), json!("high")]);
    (text(60), any::<bool>(), prop::option::of(order), prop::option::of(date), tags, priority).prop_map(
        |(title, completed, order, due_date, tags, priority)| {
            json!({"title": title, "completed": completed, "order": order, "dueDate": due_date, "tags": tags,
                   "priority": priority})
        },
    )
}

/// What clients set of each todo.
fn own_fields(todos: &Value) -> Vec<Value> {
    let fields = ["title", "completed", "order", "dueDate", "tags", "priority"];
    let own = |todo: &Value| fields.map(|field| todo[field].clone()).into_iter().collect();
    todos.as_array().unwrap().iter().map(own).collect()
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
fn what_is_exported_is_imported_as_the_same_todos(#[case] on: On) {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(Service::start(on));
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let imports = AtomicU32::new(0);
    let cases = prop::collection::vec(todo(), 0..12);
    let run = runner.run(&cases.prop_map(|todos| json!(todos)), |todos| {
        let key = imports.fetch_add(1, Ordering::Relaxed);
        runtime.block_on(async {
            let client = &service.client;
            assert_eq!(client.delete("/todos").await.status, StatusCode::NO_CONTENT);
            let lines: String =
                todos.as_array().unwrap().iter().map(|todo| todo.to_string() + "\n").collect();
            let first = import(client, "/todos/import", &format!("a{key}"), lines).await;
            assert_eq!(first.status, StatusCode::OK, "{first:?}");
            assert_eq!(own_fields(&client.get("/todos").await.json()), own_fields(&todos));
            let export = client.get("/todos/export").await;
            assert_eq!(export.header("content-type"), "application/x-ndjson");
            let list = client.post("/lists", json!({"name": "copy"})).await.json();
            let copy = list["todosUrl"].as_str().unwrap();
            let exported = String::from_utf8(export.body.to_vec()).unwrap();
            let again = import(client, &format!("{copy}/import"), &format!("b{key}"), exported).await;
            assert_eq!(again.status, StatusCode::OK, "{again:?}");
            assert_eq!(own_fields(&client.get(copy).await.json()), own_fields(&todos));
        });
        Ok(())
    });
    run.unwrap();
}
