//! The todo service, as a library for its binary and its tests. `routes` is the whole API on one page; each
//! operation is a file in the folder of its noun.

pub mod auth;
mod chain;
pub mod config;
pub mod database;
mod error;
mod etag;
mod events;
mod extract;
mod fields;
pub mod healthcheck;
mod idempotency;
mod index;
mod links;
pub mod listener;
mod lists;
pub mod metrics;
mod middleware;
pub mod migrate;
mod ndjson;
mod openapi;
pub mod otlp;
mod outbound;
mod page;
mod paging;
pub mod probes;
mod proxies;
mod rate;
mod routes;
mod schemas;
pub mod serve;
mod state;
pub mod telemetry;
mod todos;
pub mod trial;
mod welcome;
pub mod workers;

pub use chain::chain;
pub use middleware::AllowedOrigin;
pub use page::{Login, PageSettings};
pub use proxies::TrustedProxies;
pub use rate::RateLimit;
pub use routes::{api, openapi_json};
pub use state::{AppState, Settings};
