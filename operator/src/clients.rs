//! The clients of the API server: one for requests, which must end, and one for watches, which last.

use std::time::Duration;

use kube::{Client, Config};

/// How long the API server may be silent on a request: longer than an admission webhook may take (30 s), so
/// that the answer that names the webhook arrives.
const ANSWER: Duration = Duration::from_secs(32);
/// The same for a watch and its first list: longer than a watch lasts (`feeds.rs`).
const WATCH: Duration = Duration::from_mins(4);

pub(crate) struct Clients {
    pub(crate) requests: Client,
    pub(crate) watches: Client,
}

impl Clients {
    pub(crate) async fn new() -> Result<Self, kube::Error> {
        let mut watches = Config::infer().await.map_err(kube::Error::InferConfig)?;
        // Else the time for which a pooled connection was idle would count too.
        watches.reset_reader_on_write = true;
        let mut requests = watches.clone();
        watches.read_timeout = Some(WATCH);
        requests.read_timeout = Some(ANSWER);
        // A reconcile that fails is repeated as a whole, with the stack's backoff. The client's own retries
        // of 429 and 503 would take minutes, during which nothing is reported.
        requests.default_retry = false;
        Ok(Self { requests: Client::try_from(requests)?, watches: Client::try_from(watches)? })
    }
}
