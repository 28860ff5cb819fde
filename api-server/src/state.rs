//! What all handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::extract::FromRef;
use todostack_store::Store;
use tokio::sync::Semaphore;

use crate::{
    auth::Auth,
    metrics::Metrics,
    otlp::Spans,
    public_url::PublicUrl,
    rate::{Rate, RateLimit},
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
    /// What the two queues of one store hold: beyond, a request would only wait for its deadline.
    pub const DEFAULT_CONCURRENCY: usize = 2_048;
}

/// What a request needs; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The database, as this thread reaches it.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shared: Arc<Shared>,
}

/// What all requests share, on whichever thread.
pub struct Shared {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) auth: Option<Auth>,
    pub(crate) rate: Option<Rate>,
    pub(crate) spans: Option<Spans>,
    pub(crate) in_flight: Semaphore,
    draining: AtomicBool,
}

impl Shared {
    fn new(
        stores: Vec<Arc<dyn Store>>,
        settings: Settings,
        auth: Option<Auth>,
        spans: Option<Spans>,
    ) -> Self {
        let concurrency = settings.max_concurrent_requests.unwrap_or(Settings::DEFAULT_CONCURRENCY);
        Self {
            metrics: Metrics::new(stores),
            auth,
            rate: settings.rate_limit.map(Rate::new),
            spans,
            in_flight: Semaphore::new(concurrency),
            settings,
            draining: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppState").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl FromRef<AppState> for Arc<dyn Store> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.store)
    }
}

impl AppState {
    /// State over a store. With `auth`, only callers with a token are let in; with `spans`, requests are traced.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, settings: Settings, auth: Option<Auth>, spans: Option<Spans>) -> Self {
        let shared = Shared::new(vec![Arc::clone(&store)], settings, auth, spans);
        Self { store, shared: Arc::new(shared) }
    }

    /// The same, for each thread with its store.
    #[must_use]
    pub fn for_each(
        stores: Vec<Arc<dyn Store>>,
        settings: Settings,
        auth: Option<Auth>,
        spans: Option<Spans>,
    ) -> Vec<Self> {
        let shared = Arc::new(Shared::new(stores.clone(), settings, auth, spans));
        stores.into_iter().map(|store| Self { store, shared: Arc::clone(&shared) }).collect()
    }

    /// From now on the service says that it is not ready, while it still answers.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }
}
