//! `/livez`, `/readyz` and `/metrics` of the operator itself. Whether it is well is decided in `health.rs`.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::time::Instant;

use crate::{
    clock,
    health::{self, Behind},
    hearing::Hearing,
    leader::fence::Fence,
    metrics::Metrics,
    running::Running,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The cluster does not serve TodoStacks yet.
    WaitingForCrd,
    /// Not every watch has listed yet.
    Listing,
    /// Leading or standing by.
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

/// What the probes report.
#[derive(Clone)]
pub(crate) struct Probed {
    pub(crate) progress: Progress,
    pub(crate) hearing: Hearing,
    pub(crate) running: Running,
    pub(crate) fence: Fence,
}

type Answer = (StatusCode, String);

pub(crate) fn routes(metrics: Metrics, probed: Probed) -> Router {
    Router::new()
        .route("/livez", get(async |State(probed): State<Probed>| livez(&probed, clock::timer())))
        .route("/readyz", get(async |State(probed): State<Probed>| readyz(&probed, clock::timer())))
        .with_state(probed)
        .route("/metrics", get(expose).with_state(metrics))
}

fn livez(probed: &Probed, now: Instant) -> Answer {
    match health::ailment(&probed.hearing.feeds(), probed.running.oldest(), now) {
        Some(ailment) => (StatusCode::SERVICE_UNAVAILABLE, format!("{ailment}\n")),
        None => (StatusCode::OK, "ok\n".to_owned()),
    }
}

fn readyz(probed: &Probed, now: Instant) -> Answer {
    let unready = |text: String| (StatusCode::SERVICE_UNAVAILABLE, text);
    let feeds = probed.hearing.feeds();
    let mut behind = String::new();
    for (name, feed) in health::behind(&feeds, now) {
        // Writing to a String cannot fail.
        let _ = match feed {
            Behind::NotListed => writeln!(behind, "{name}: not listed yet"),
            Behind::Silent(silence) => writeln!(behind, "{name}: nothing for {} s", silence.as_secs()),
        };
    }
    match probed.progress.get() {
        Phase::WaitingForCrd => unready(
            "waiting for the CustomResourceDefinition todostacks.todostack.dev: install the chart todostack-crds\n"
                .to_owned(),
        ),
        Phase::Listing => unready(format!("waiting for the first list of every watch\n{behind}")),
        Phase::Running if !behind.is_empty() => unready(format!("watches are behind\n{behind}")),
        Phase::Running if probed.fence.is_leading() => (StatusCode::OK, "ok: leading\n".to_owned()),
        // Ready, so that a rollout and a PodDisruptionBudget count it: its caches are filled.
        Phase::Running => (StatusCode::OK, "ok: standing by\n".to_owned()),
    }
}

async fn expose(
    State(metrics): State<Metrics>,
) -> Result<([(&'static str, &'static str); 1], String), StatusCode> {
    let text = metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

#[cfg(test)]
mod tests;
