//! `/livez`, `/readyz` and `/metrics` of the operator itself.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::metrics::Metrics;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The cluster does not serve TodoStacks yet.
    WaitingForCrd,
    /// Not every watch has listed yet.
    Listing,
    Running,
}

/// The phase, shared between the controller and the probes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(crate) fn set(&self, phase: Phase) {
        let number = match phase {
            Phase::WaitingForCrd => 0,
            Phase::Listing => 1,
            Phase::Running => 2,
        };
        self.0.store(number, Ordering::Relaxed);
    }

    fn get(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::WaitingForCrd,
            1 => Phase::Listing,
            _ => Phase::Running,
        }
    }
}

pub(crate) fn routes(metrics: Metrics, progress: Progress) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz).with_state(progress))
        .route("/metrics", get(expose).with_state(metrics))
}

async fn readyz(State(progress): State<Progress>) -> (StatusCode, &'static str) {
    match progress.get() {
        Phase::WaitingForCrd => (
            StatusCode::SERVICE_UNAVAILABLE,
            "waiting for the CustomResourceDefinition todostacks.todostack.dev: install the chart todostack-crds\n",
        ),
        Phase::Listing => (StatusCode::SERVICE_UNAVAILABLE, "waiting for the first list of every watch\n"),
        Phase::Running => (StatusCode::OK, "ok\n"),
    }
}

async fn expose(
    State(metrics): State<Metrics>,
) -> Result<([(&'static str, &'static str); 1], String), StatusCode> {
    let text = metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
