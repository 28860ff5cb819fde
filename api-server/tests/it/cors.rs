//! CORS: requests from other origins, preflights, and plain OPTIONS.

use http::{Method, StatusCode};
use rstest::rstest;
use todostack_api::Settings;

use crate::service::{On, Service};

#[rstest]
#[case("/todos")]
#[case("/todos/1")]
#[case("/lists")]
#[case("/lists/1")]
#[case("/lists/1/todos")]
#[case("/lists/1/todos/1")]
#[case("/")]
#[tokio::test]
async fn options_lists_the_methods_of_the_path(#[case] path: &str) {
    let service = Service::start(On::Sqlite).await;
    let send = async |method| service.client.send(service.client.request(method, path), "").await;
    let options = send(Method::OPTIONS).await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    let sorted = |allow: &str| {
        let mut methods: Vec<_> = allow.split(',').map(|method| method.trim().to_owned()).collect();
        methods.sort();
        methods
    };
    let rejected = send(Method::TRACE).await;
    assert_eq!(rejected.problem().0, 405);
    assert_eq!(sorted(options.header("allow")), sorted(rejected.header("allow")));
}

#[tokio::test]
async fn a_preflight_lists_the_allowed_methods_and_headers() {
    let service = Service::start(On::Sqlite).await;
    let request = service.client.request(Method::OPTIONS, "/todos/1").header("origin", "https://app.example");
    let request = request.header("access-control-request-method", "PATCH");
    let reply =
        service.client.send(request.header("access-control-request-headers", "content-type"), "").await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("access-control-allow-methods").contains("PATCH"));
    assert!(reply.header("access-control-allow-headers").contains("content-type"));
}

#[rstest]
#[case::allowed("https://app.example", Some("https://app.example"))]
#[case::another("https://evil.example", None)]
#[tokio::test]
async fn only_the_configured_origins_are_allowed(#[case] origin: &str, #[case] allowed: Option<&str>) {
    let settings = Settings {
        cors_allowed_origins: vec!["https://app.example".parse().unwrap()],
        ..Settings::default()
    };
    let service = Service::start_with(On::Sqlite, settings).await;
    let reply =
        service.client.send(service.client.request(Method::GET, "/todos").header("origin", origin), "").await;
    let header = reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
    assert_eq!(header, allowed);
    assert_eq!(reply.header("vary"), "origin");
    assert!(reply.headers.get("access-control-allow-credentials").is_none());
}
