//! The names and types of all metrics, and nothing else.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
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
    leading: Gauge,
    stacks_of_others: Gauge,
    upgrades: Family<UpgradeLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpgradeLabels {
    pods: &'static str,
    state: &'static str,
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
        let (leading, stacks_of_others) = (Gauge::default(), Gauge::default());
        let upgrades = Family::<UpgradeLabels, Gauge>::default();
        registry.register("reconcile", "Reconciles, by result and the step that failed", reconciles.clone());
        registry.register("reconcile_duration_seconds", "Duration of a reconcile", duration.clone());
        registry.register("writes", "Writes to the API server", writes.clone());
        registry.register("watch_events", "Objects received from watches", watch_events.clone());
        registry.register("watch_errors", "Errors of watches", watch_errors.clone());
        registry.register("leading", "Whether this replica holds the Lease and reconciles", leading.clone());
        registry.register(
            "stacks_of_other_operators",
            "Stacks that another installation of the operator manages",
            stacks_of_others.clone(),
        );
        registry.register(
            "upgrades",
            "Stacks whose pods an upgrade of the operator replaces, has stopped at, or is going to replace",
            upgrades.clone(),
        );
        registry.register(
            "build",
            "Version of the operator",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry: Arc::new(registry),
            reconciles,
            duration,
            writes,
            watch_events,
            watch_errors,
            leading,
            stacks_of_others,
            upgrades,
        }
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

    pub(crate) fn leading(&self, is_leading: bool) {
        self.leading.set(i64::from(is_leading));
    }

    pub(crate) fn stacks_of_others(&self, count: usize) {
        self.stacks_of_others.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn upgrades(&self, pods: &'static str, state: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.upgrades.get_or_create(&UpgradeLabels { pods, state }).set(count);
    }

    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
