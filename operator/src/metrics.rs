//! The names and types of all metrics, and nothing else.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::children::Kind;

/// Upper bounds of a pass's duration, in seconds: a pass at rest takes about a millisecond, a new stack's a few
/// hundred.
const BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0];

/// All metrics; a clone counts into the same.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    passes: Family<PassLabels, Counter>,
    duration: Histogram,
    writes: Family<WriteLabels, Counter>,
    watch_events: Family<WatchLabels, Counter>,
    watch_errors: Family<WatchLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PassLabels {
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
        let passes = Family::default();
        let duration = Histogram::new(BUCKETS);
        let writes = Family::default();
        let watch_events = Family::default();
        let watch_errors = Family::default();
        registry.register(
            "reconcile",
            "Passes over a stack, by result and the step that failed",
            passes.clone(),
        );
        registry.register("reconcile_duration_seconds", "Duration of a pass", duration.clone());
        registry.register("writes", "Writes to the API server", writes.clone());
        registry.register("watch_events", "Objects that the watches brought", watch_events.clone());
        registry.register("watch_errors", "Interruptions of watches", watch_errors.clone());
        registry.register(
            "build",
            "Version of the operator",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self { registry: Arc::new(registry), passes, duration, writes, watch_events, watch_errors }
    }
}

impl Metrics {
    /// Counts a pass and how long it took; `failed` is the step that ended it.
    pub fn reconciled(&self, duration: Duration, failed: Option<&'static str>) {
        let result = if failed.is_some() { "error" } else { "ok" };
        self.passes.get_or_create(&PassLabels { result, step: failed.unwrap_or_default() }).inc();
        self.duration.observe(duration.as_secs_f64());
    }

    /// Counts a write to a child.
    pub fn write(&self, kind: Kind, verb: &'static str) {
        self.writes.get_or_create(&WriteLabels { kind: kind.into(), verb }).inc();
    }

    /// Counts a write to a status.
    pub fn status_write(&self) {
        self.writes.get_or_create(&WriteLabels { kind: "TodoStack", verb: "status" }).inc();
    }

    /// Counts an object that a watch brought.
    pub fn watch_event(&self, kind: &str) {
        self.watch_events.get_or_create(&WatchLabels { kind: kind.to_owned() }).inc();
    }

    /// Counts an interruption of a watch.
    pub fn watch_error(&self, kind: &str) {
        self.watch_errors.get_or_create(&WatchLabels { kind: kind.to_owned() }).inc();
    }

    /// All metrics in OpenMetrics text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
