//! What all handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use todostack_store::Store;

use crate::{links::PublicUrl, metrics::Metrics};

/// What the configuration says about answering requests.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where clients find the service; none: as the request says.
    pub public_url: Option<PublicUrl>,
    /// Origins whose pages may call; empty: all.
    pub cors_allowed_origins: Vec<String>,
}

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) metrics: Arc<Metrics>,
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
        Self {
            metrics: Arc::new(Metrics::new(Arc::clone(&store))),
            store,
            settings: Arc::new(settings),
            draining: Arc::default(),
        }
    }

    /// From now on the service says that it is not ready, while it still answers.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
