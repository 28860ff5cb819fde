//! The names and types of all metrics. When requests are counted is decided in `middleware`.

use std::{sync::Arc, time::Duration};

use axum::extract::MatchedPath;
use http::{Method, StatusCode};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};
use todostack_store::{PoolState, Store};

use crate::auth::Auth;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// Seconds, from what one read takes to the deadline of a request.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

type Requests = Family<RequestLabels, Histogram, fn() -> Histogram>;

/// An answered request, for metrics, log and traces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a Method,
    /// The template, such as `/todos/{id}`; `None` when no route matched.
    pub(crate) route: Option<&'a MatchedPath>,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    /// The number of open streams of events.
    pub(crate) streams: Gauge,
}

impl Metrics {
    /// The pools of all stores are added up.
    pub fn new(stores: Vec<Arc<dyn Store>>, auth: Option<&Auth>) -> Self {
        let mut registry = Registry::default();
        let requests = Requests::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register_with_unit(
            "http_server_request_duration",
            "Duration of HTTP requests by route template and status",
            Unit::Seconds,
            requests.clone(),
        );
        registry.register(
            "todostack_api_build",
            "Version of the service",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let streams = Gauge::default();
        registry.register("todostack_api_event_streams_open", "Open streams of events", streams.clone());
        registry.register_collector(Box::new(Pools(stores)));
        if let Some(auth) = auth {
            auth.register(&mut registry);
        }
        Self { registry, requests, streams }
    }

    /// Counts one answered request.
    pub(crate) fn observe(&self, Answered { method, route, status, took }: Answered<'_>) {
        let labels = RequestLabels {
            method: method_label(method),
            // The template and not the path, of which clients could make any number.
            route: route.map_or("unmatched", MatchedPath::as_str).to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// In the OpenMetrics text format.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Clients may send any text as a method, which would make a time series each.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Name, help and value of a gauge.
type PoolGauge = (&'static str, &'static str, fn(PoolState) -> u32);

const POOL_GAUGES: [PoolGauge; 4] = [
    ("todostack_api_database_connections_open", "Open connections in the pool", |pool| pool.open),
    ("todostack_api_database_connections_idle", "Idle connections in the pool", |pool| pool.idle),
    ("todostack_api_database_connections_max", "Maximum number of connections in the pool", |pool| pool.max),
    ("todostack_api_database_requests_queued", "Requests that wait for a batch", |pool| pool.queued),
];

/// Reads the pools at each scrape.
struct Pools(Vec<Arc<dyn Store>>);

impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|store| store.pool_state())).finish()
    }
}

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (name, help, value) in POOL_GAUGES {
            let all = self.0.iter().map(|store| i64::from(value(store.pool_state()))).sum();
            let gauge = ConstGauge::<i64>::new(all);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
