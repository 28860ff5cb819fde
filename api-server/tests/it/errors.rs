//! Every error is a problem (RFC 9457), whichever layer found it.

use http::Method;
use rstest::rstest;
use serde_json::json;

use crate::service::{On, Service};

#[rstest]
#[case::malformed(r#"{"title":"#, (400, "malformed-json"), "EOF while parsing a value at line 1 column 9")]
#[case::not_utf8("\u{0}", (400, "malformed-json"), "expected value at line 1 column 1")]
#[case::empty("", (400, "malformed-json"), "EOF while parsing a value at line 1 column 0")]
#[case::no_object("[]", (422, "invalid-body"), "")]
#[case::fields_without_names(r#" ["tea",false,1,null,[],null]"#, (422, "invalid-body"), "")]
#[case::no_title("{}", (422, "invalid-body"), "")]
#[case::wrong_type(r#"{"title":3}"#, (422, "invalid-body"), "")]
#[case::empty_title(r#"{"title":" "}"#, (422, "invalid-body"), "")]
#[case::nul(r#"{"title":"a\u0000b"}"#, (422, "invalid-body"), "")]
#[case::order_with_fraction(r#"{"title":"a","order":1.5}"#, (422, "invalid-body"), "")]
#[case::no_such_day(r#"{"title":"a","dueDate":"2026-02-30"}"#, (422, "invalid-body"), "")]
#[case::year_zero(r#"{"title":"a","dueDate":"0000-02-01"}"#, (422, "invalid-body"), "")]
#[case::half_of_a_surrogate_pair(r#"{"title":"\ud800"}"#, (422, "invalid-body"), "")]
#[case::beyond_all_floats(r#"{"title":"a","order":1e999}"#, (422, "invalid-body"), "")]
#[case::unknown_priority(r#"{"title":"a","priority":"urgent"}"#, (422, "invalid-body"), "")]
#[case::tag_twice(r#"{"title":"a","tags":["x","x"]}"#, (422, "invalid-body"), "")]
#[tokio::test]
async fn an_invalid_body_is_rejected_with_the_position_of_the_error(
    #[case] body: &'static str,
    #[case] (status, slug): (u16, &str),
    #[case] position: &str,
) {
    let service = Service::start(On::Sqlite).await;
    let request = service.client.request(Method::POST, "/todos").header("content-type", "application/json");
    let reply = service.client.send(request, body).await;
    assert_eq!(reply.problem(), (status, slug.to_owned()));
    if status == 422 {
        assert_eq!(reply.json()["errors"].as_array().unwrap().len(), 1, "{reply:?}");
    } else {
        assert_eq!(reply.json()["detail"], format!("The body is not valid JSON: {position}"));
    }
    assert_eq!(service.client.get("/todos").await.json(), json!([]));
}

#[tokio::test]
async fn all_errors_of_a_body_are_reported_at_once_with_their_pointers() {
    let service = Service::start(On::Sqlite).await;
    let reply = service.client.post("/todos", json!({"title": "", "tags": [""]})).await;
    insta::assert_json_snapshot!(reply.json()["errors"], @r#"
    [
      {
        "detail": "must not be empty",
        "pointer": "/title"
      },
      {
        "detail": "must not be empty",
        "pointer": "/tags"
      }
    ]
    "#);
    let reply = service.client.post("/todos", json!({"title": "a", "tags": ["x", 7]})).await;
    assert_eq!(reply.json()["errors"][0]["pointer"], "/tags/1");
}

#[rstest]
#[case::unknown_route(Method::GET, "/nope", (404, "not-found"))]
#[case::slash_at_the_end(Method::GET, "/todos/", (404, "not-found"))]
#[case::no_number(Method::GET, "/todos/abc", (404, "todo-not-found"))]
#[case::number_too_large(Method::GET, "/todos/99999999999999999999", (404, "todo-not-found"))]
#[case::no_such_todo(Method::DELETE, "/todos/7", (404, "todo-not-found"))]
#[case::no_such_list(Method::GET, "/lists/7/todos", (404, "list-not-found"))]
#[case::method(Method::PATCH, "/todos", (405, "method-not-allowed"))]
#[case::no_content_type(Method::POST, "/todos", (415, "unsupported-media-type"))]
#[case::limit_too_large(Method::GET, "/todos?limit=1001", (400, "invalid-parameter"))]
#[case::limit_zero(Method::GET, "/todos?limit=0", (400, "invalid-parameter"))]
#[case::no_boolean(Method::GET, "/todos?completed=maybe", (400, "invalid-parameter"))]
#[case::forged_cursor(Method::GET, "/todos?cursor=abc", (400, "invalid-parameter"))]
#[case::unknown_sort(Method::GET, "/todos?sort=name", (400, "invalid-parameter"))]
#[case::nul_in_search(Method::GET, "/todos?q=%00", (400, "invalid-parameter"))]
#[tokio::test]
async fn an_invalid_request_is_a_problem(
    #[case] method: Method,
    #[case] path: &str,
    #[case] (status, slug): (u16, &str),
) {
    let service = Service::start(On::Sqlite).await;
    let reply = service.client.send(service.client.request(method, path), "").await;
    assert_eq!(reply.problem(), (status, slug.to_owned()));
}

#[tokio::test]
async fn a_body_of_another_type_or_size_is_rejected() {
    let service = Service::start(On::Sqlite).await;
    let client = &service.client;
    let request = client.request(Method::POST, "/todos").header("content-type", "text/plain");
    let reply = client.send(request, r#"{"title":"a"}"#).await;
    assert_eq!(reply.problem(), (415, "unsupported-media-type".to_owned()));
    let reply = client.post("/todos", json!({"title": "a".repeat(70_000)})).await;
    assert_eq!(reply.problem(), (413, "body-too-large".to_owned()));
}

#[tokio::test]
async fn the_trace_id_of_the_caller_is_used() {
    let service = Service::start(On::Sqlite).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = service.client.request(Method::GET, "/nope").header("traceparent", parent);
    let reply = service.client.send(request, "").await;
    assert_eq!(reply.json()["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}
