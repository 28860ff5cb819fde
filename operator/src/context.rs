//! What every pass shares: the client, the caches, the memory, the clock.

use std::time::Instant;

use jiff::Timestamp;
use kube::{Client, runtime::events::Recorder};
use tokio::sync::watch;

use crate::{args::Config, backoff::Backoff, memory::Memory, metrics::Metrics, watch::Caches};

/// Shared by all passes.
pub struct Context {
    /// The way to the API server.
    pub client: Client,
    /// The operator's settings.
    pub config: Config,
    /// What the watches brought.
    pub caches: Caches,
    /// Turns true when they have brought all there is.
    pub listed: watch::Receiver<bool>,
    /// What was written of late.
    pub memory: Memory,
    /// Failures in a row.
    pub backoff: Backoff,
    /// Writes Events.
    pub recorder: Recorder,
    /// Counters.
    pub metrics: Metrics,
}

impl Context {
    /// Waits until the watches have brought all there is.
    pub async fn listed(&self) -> Result<(), watch::error::RecvError> {
        self.listed.clone().wait_for(|listed| *listed).await.map(drop)
    }

    /// The time for what people read.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The time for what is measured.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }
}
