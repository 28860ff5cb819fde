//! The names and types of all metrics, and nothing else.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};

use todostack_stack::managed::Kind;

/// Upper bounds of the duration of a reconcile, in seconds. One without writes takes about a millisecond,
/// that of a new stack a few hundred.
const BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0];

/// All metrics; a clone counts into the same.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    duration: Histogram,
    writes: Family<WriteLabels, Counter>,
    watch_events: Family<WatchLabels, Counter>,
    watch_errors: Family<WatchLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    result: &'static str,
    step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    kind: &'static str,
    verb: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WatchLabels {
    kind: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("todostack");
        let reconciles = Family::default();
        let duration = Histogram::new(BUCKETS);
        let writes = Family::default();
        let watch_events = Family::default();
        let watch_errors = Family::default();
        registry.register("reconcile", "Reconciles, by result and the step that failed", reconciles.clone());
        registry.register("reconcile_duration_seconds", "Duration of a reconcile", duration.clone());
        registry.register("writes", "Writes to the API server", writes.clone());
        registry.register("watch_events", "Objects received from watches", watch_events.clone());
        registry.register("watch_errors", "Errors of watches", watch_errors.clone());
        registry.register(
            "build",
            "Version of the operator",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self { registry: Arc::new(registry), reconciles, duration, writes, watch_events, watch_errors }
    }
}

impl Metrics {
    /// Counts a reconcile and how long it took; `failed` is the step that failed.
    pub(crate) fn reconciled(&self, duration: Duration, failed: Option<&'static str>) {
        let result = if failed.is_some() { "error" } else { "ok" };
        self.reconciles.get_or_create(&ReconcileLabels { result, step: failed.unwrap_or_default() }).inc();
        self.duration.observe(duration.as_secs_f64());
    }

    /// Counts a write to a managed object.
    pub(crate) fn write(&self, kind: Kind, verb: &'static str) {
        self.writes.get_or_create(&WriteLabels { kind: kind.into(), verb }).inc();
    }

    pub(crate) fn status_write(&self) {
        self.writes.get_or_create(&WriteLabels { kind: "TodoStack", verb: "status" }).inc();
    }

    /// Counts an object received from a watch.
    pub(crate) fn watch_event(&self, kind: &str) {
        self.watch_events.get_or_create(&WatchLabels { kind: kind.to_owned() }).inc();
    }

    pub(crate) fn watch_error(&self, kind: &str) {
        self.watch_errors.get_or_create(&WatchLabels { kind: kind.to_owned() }).inc();
    }

    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
