//! What all handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use todostack_store::Store;

use tokio::sync::Semaphore;

use crate::{
    auth::{Auth, SharedAuth},
    links::PublicUrl,
    metrics::Metrics,
    middleware::rate::{Rate, RateLimit},
};

/// What the configuration says about answering requests.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where clients find the service; none: as the request says.
    pub public_url: Option<PublicUrl>,
    /// Origins whose pages may call; empty: all.
    pub cors_allowed_origins: Vec<String>,
    /// How often a client may ask; none: as often as it likes.
    pub rate_limit: Option<RateLimit>,
    /// How many proxies of ours stand in front; the address before them is the client's.
    pub trusted_proxy_hops: usize,
    /// Requests being worked on at once, [`Settings::DEFAULT_CONCURRENCY`] when none.
    pub max_concurrent_requests: Option<usize>,
}

impl Settings {
    /// Twice what the queues of the store hold: beyond, a request would only wait for its deadline.
    pub const DEFAULT_CONCURRENCY: usize = 2_048;
}

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) auth: SharedAuth,
    pub(crate) rate: Option<Arc<Rate>>,
    pub(crate) in_flight: Arc<Semaphore>,
    draining: Arc<AtomicBool>,
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppState").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl AppState {
    /// State over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, settings: Settings) -> Self {
        let concurrency = settings.max_concurrent_requests.unwrap_or(Settings::DEFAULT_CONCURRENCY);
        Self {
            auth: None,
            rate: settings.rate_limit.map(Rate::new).map(Arc::new),
            in_flight: Arc::new(Semaphore::new(concurrency)),
            metrics: Arc::new(Metrics::new(Arc::clone(&store))),
            store,
            settings: Arc::new(settings),
            draining: Arc::default(),
        }
    }

    /// Lets in only callers with a token.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth: Some(Arc::new(auth)), ..self }
    }

    /// From now on the service says that it is not ready, while it still answers.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
