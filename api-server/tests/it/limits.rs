//! Limits: the rate of requests, the size of headers, concurrent requests. Limits of bodies are in `errors`.

use http::{Method, StatusCode};
use todostack_api::{RateLimit, Settings, TrustedProxies};

use crate::service::{On, Service};

#[tokio::test]
async fn a_client_above_the_rate_limit_is_told_when_to_retry() {
    let rate_limit = RateLimit { requests_per_second: 1.try_into().unwrap(), burst: 2.try_into().unwrap() };
    let trusted_proxies = TrustedProxies { hops: 1, networks: Vec::new() };
    let settings = Settings { rate_limit: Some(rate_limit), trusted_proxies, ..Settings::default() };
    let service = Service::start_with(On::Sqlite, settings).await;
    let get = async |address: &str| {
        let request = service.client.request(Method::GET, "/todos").header("x-forwarded-for", address);
        service.client.send(request, "").await
    };
    let first = get("203.0.113.9").await;
    assert_eq!(first.header("ratelimit-policy"), "\"client\";q=2;w=2");
    assert_eq!(first.header("ratelimit"), "\"client\";r=1;t=1");
    get("203.0.113.9").await;
    let rejected = get("203.0.113.9").await;
    assert_eq!(rejected.problem(), (429, "rate-limited".to_owned()));
    assert_eq!((rejected.header("retry-after"), rejected.header("ratelimit")), ("1", "\"client\";r=0;t=1"));
    assert_eq!(get("198.51.100.7").await.status, StatusCode::OK, "each client has its own limit");
}

#[tokio::test]
async fn headers_that_are_too_large_are_rejected() {
    let service = Service::start(On::Sqlite).await;
    let request = service.client.request(Method::GET, "/todos").header("x-long", "a".repeat(20_000));
    assert_eq!(service.client.send(request, "").await.problem(), (431, "headers-too-large".to_owned()));
}

#[tokio::test]
async fn requests_above_the_concurrency_limit_are_rejected_at_once() {
    let settings = Settings { max_concurrent_requests: Some(0), ..Settings::default() };
    let service = Service::start_with(On::Sqlite, settings).await;
    let reply = service.client.get("/todos").await;
    assert_eq!(reply.problem(), (503, "overloaded".to_owned()));
    assert_eq!(reply.header("retry-after"), "1");
}
