//! Spans, as an OpenTelemetry collector receives them.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::post};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use todostack_api::{
    AppState, Settings, api,
    otlp::{OtlpSettings, Spans},
};
use tokio::{sync::mpsc, time::timeout};

use crate::service::{On, Service, listen};

#[tokio::test]
async fn a_request_becomes_a_span_in_the_trace_of_its_caller() {
    let (sent, mut received) = mpsc::channel::<Value>(8);
    let collect = post(async |State(sent): State<mpsc::Sender<Value>>, Json(body): Json<Value>| {
        sent.send(body).await.unwrap();
    });
    let collector = listen(Router::new().route("/v1/traces", collect).with_state(sent)).await;
    let spans = Spans::start(OtlpSettings {
        traces_url: format!("{}/v1/traces", collector.base).parse().unwrap(),
        headers: vec![(HeaderName::from_static("x-token"), HeaderValue::from_static("secret"))],
        service_name: "shop".to_owned(),
    })
    .unwrap();
    let service = Service::start(On::Sqlite).await;
    let state = AppState::new(Arc::clone(&service.store), Settings::default(), None, Some(spans));
    let client = listen(api(state)).await;

    for (sampled, path) in [("00", "/todos/1"), ("01", "/todos/2")] {
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{sampled}");
        client.send(client.request(Method::GET, path).header("traceparent", parent), "").await;
    }
    let body = timeout(Duration::from_secs(10), received.recv()).await.expect("spans are sent").unwrap();
    let resource = &body["resourceSpans"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "shop");
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 1, "requests that the caller does not sample have no span: {spans:#?}");
    let span = &spans[0];
    assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(span["name"], "GET /todos/{id}");
    assert_eq!(span["attributes"][1]["value"], json!({"intValue": "404"}));
    let nanos = |name: &str| span[name].as_str().unwrap().parse::<u128>().unwrap();
    assert!(nanos("startTimeUnixNano") < nanos("endTimeUnixNano"));
}
