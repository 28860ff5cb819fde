//! Exports traces to a collector: one span per request, as OTLP over HTTP with JSON
//! (<https://opentelemetry.io/docs/specs/otlp/>). Which requests are sampled is decided in `middleware`.
//!
//! By hand while a request is a single span: the OpenTelemetry crates are some fifteen, to be upgraded
//! together, for what is one JSON document here. They could use `Outbound` as their HTTP client too.
//!
//! No request waits for the collector: spans go into a bounded queue, and those that do not fit are dropped
//! and counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::body::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::outbound::Outbound;

const QUEUE: usize = 4_096;
const BATCH: usize = 512;
const SEND_EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct OtlpSettings {
    /// The URL for traces, with its path.
    pub traces_url: Uri,
    /// For collectors that need a token.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub service_name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace_id: String,
    pub(crate) id: String,
    /// The span of the caller; empty when the trace starts here.
    pub(crate) parent_id: String,
    pub(crate) method: &'static str,
    /// The template of the route; `None` when no route matched.
    pub(crate) route: Option<String>,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    /// For a status of 500 and above.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Spans {
    queue: mpsc::Sender<(SystemTime, Span)>,
    dropped: Arc<AtomicU64>,
}

impl Spans {
    pub fn start(settings: OtlpSettings) -> Result<Self, String> {
        let outbound = Outbound::new(None)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let dropped = Arc::default();
        tokio::spawn(send_all(waiting, settings, outbound, Arc::clone(&dropped)));
        Ok(Self { queue, dropped })
    }

    /// The span ends now.
    pub(crate) fn push(&self, span: Span) {
        // Without waiting: a request is worth more than its span.
        if self.queue.try_send((SystemTime::now(), span)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn send_all(
    mut waiting: mpsc::Receiver<(SystemTime, Span)>,
    settings: OtlpSettings,
    outbound: Outbound,
    dropped: Arc<AtomicU64>,
) {
    let mut spans = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut spans, BATCH).await > 0 {
        // The first span waits for others, so that a quiet service sends one request for several.
        let send_at = Instant::now() + SEND_EVERY;
        while spans.len() < BATCH {
            match timeout_at(send_at, waiting.recv()).await {
                Ok(Some(span)) => spans.push(span),
                Ok(None) | Err(_) => break,
            }
        }
        let sent = spans.len();
        let body = document(&settings.service_name, spans.drain(..));
        if let Err(why) = send(&settings, &outbound, body).await {
            let url = settings.traces_url.to_string();
            tracing::warn!(url, error = why, spans = sent, "Failed to export traces: dropped them");
        }
        let dropped = dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(spans = dropped, "Dropped traces: the collector is too slow");
        }
    }
}

async fn send(settings: &OtlpSettings, outbound: &Outbound, body: Value) -> Result<(), String> {
    let mut request =
        Request::post(settings.traces_url.clone()).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in &settings.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::from(body.to_string()));
    let request = request.body(body).map_err(|cause| cause.to_string())?;
    outbound.send(request).await.map(drop)
}

fn document(service_name: &str, spans: impl Iterator<Item = (SystemTime, Span)>) -> Value {
    let attributes = json!([
        {"key": "service.name", "value": {"stringValue": service_name}},
        {"key": "service.version", "value": {"stringValue": env!("CARGO_PKG_VERSION")}},
    ]);
    let scope = json!({"name": "todostack-api", "version": env!("CARGO_PKG_VERSION")});
    let spans: Vec<Value> = spans.map(|(end, span)| span_of(end, span)).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

/// Attributes: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
fn span_of(end: SystemTime, span: Span) -> Value {
    const SERVER: u8 = 2;
    const FAILED: u8 = 2;
    let Span { trace_id, id, parent_id, method, route, status, took, error } = span;
    let end = end.duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = end.saturating_sub(took);
    let name = route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let mut attributes = vec![
        json!({"key": "http.request.method", "value": {"stringValue": method}}),
        json!({"key": "http.response.status_code", "value": {"intValue": status.to_string()}}),
    ];
    attributes.extend(route.map(|route| json!({"key": "http.route", "value": {"stringValue": route}})));
    json!({
        "traceId": trace_id,
        "spanId": id,
        "parentSpanId": parent_id,
        "name": name,
        "kind": SERVER,
        "startTimeUnixNano": start.as_nanos().to_string(),
        "endTimeUnixNano": end.as_nanos().to_string(),
        "attributes": attributes,
        "status": error.map_or_else(|| json!({}), |message| json!({"code": FAILED, "message": message})),
    })
}
