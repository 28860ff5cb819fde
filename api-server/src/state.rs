//! The state of the router: what handlers and middleware share, and the configuration of both.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::extract::FromRef;
use todostack_store::Store;
use tokio::sync::Semaphore;

use crate::{
    auth::Auth,
    events::Hub,
    links::PublicUrl,
    metrics::Metrics,
    middleware::AllowedOrigin,
    otlp::Spans,
    page::{Page, PageSettings},
    proxies::TrustedProxies,
    rate::{Rate, RateLimit},
};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `None`: derived from the headers of each request.
    pub public_url: Option<PublicUrl>,
    /// Empty: all origins are allowed.
    pub cors_allowed_origins: Vec<AllowedOrigin>,
    /// `None`: unlimited.
    pub rate_limit: Option<RateLimit>,
    pub trusted_proxies: TrustedProxies,
    /// The maximum number of requests in flight; by default [`Settings::DEFAULT_CONCURRENCY`].
    pub max_concurrent_requests: Option<usize>,
    /// The maximum number of open streams of events; by default [`Settings::DEFAULT_STREAMS`].
    pub max_event_streams: Option<usize>,
    /// The maximum size of an import; by default [`Settings::DEFAULT_IMPORT_BYTES`].
    pub max_import_bytes: Option<usize>,
    /// `None`: browsers get the index that programs get.
    pub page: Option<PageSettings>,
}

impl Settings {
    /// The size of the two queues of one store: more requests would only wait for their deadline.
    pub const DEFAULT_CONCURRENCY: usize = 2_048;
    /// Each takes some 10 KiB.
    pub const DEFAULT_STREAMS: usize = 1_000;
    /// Some 300,000 todos. It is read in constant memory.
    pub const DEFAULT_IMPORT_BYTES: usize = 64 * 1_024 * 1_024;

    pub(crate) fn max_import_bytes(&self) -> usize {
        self.max_import_bytes.unwrap_or(Self::DEFAULT_IMPORT_BYTES)
    }
}

/// One per worker thread; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The store of this thread (docs/adr/0010).
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shared: Arc<Shared>,
}

pub struct Shared {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) auth: Option<Auth>,
    pub(crate) rate: Option<Rate>,
    pub(crate) spans: Option<Spans>,
    pub(crate) in_flight: Semaphore,
    pub(crate) events: Arc<Hub>,
    pub(crate) page: Option<Page>,
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
        let metrics = Metrics::new(stores, auth.as_ref());
        let streams = settings.max_event_streams.unwrap_or(Settings::DEFAULT_STREAMS);
        Self {
            events: Hub::new(streams, metrics.streams.clone()),
            metrics,
            auth,
            rate: settings.rate_limit.map(Rate::new),
            spans,
            in_flight: Semaphore::new(concurrency),
            page: settings.page.as_ref().map(Page::new),
            settings,
            draining: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl FromRef<AppState> for Arc<dyn Store> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.store)
    }
}

impl AppState {
    /// With `auth`, requests need a token; with `spans`, they are traced.
    pub fn new(store: Arc<dyn Store>, settings: Settings, auth: Option<Auth>, spans: Option<Spans>) -> Self {
        let shared = Shared::new(vec![Arc::clone(&store)], settings, auth, spans);
        Self { store, shared: Arc::new(shared) }
    }

    /// One state for each store, all of which share the rest.
    pub fn for_each(
        stores: Vec<Arc<dyn Store>>,
        settings: Settings,
        auth: Option<Auth>,
        spans: Option<Spans>,
    ) -> Vec<Self> {
        let shared = Arc::new(Shared::new(stores.clone(), settings, auth, spans));
        stores.into_iter().map(|store| Self { store, shared: Arc::clone(&shared) }).collect()
    }

    /// Makes `/readyz` fail; requests are still answered.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Ends the streams of events, which a listener that stops would wait for.
    pub fn end_streams(&self) {
        self.shared.events.end();
    }
}
