//! The clients of the API server: one for requests, which must end, and whose writes pass the fence; one for
//! watches, which last, and whose answers are noted; and one for the Lease, which decides about the fence.

use std::time::Duration;

use kube::{Client, Config, client::ClientBuilder};

use crate::{hearing::Hearing, leader::fence::Fence};

/// How long the API server may be silent on a request: longer than an admission webhook may take (30 s), so
/// that the answer that names the webhook arrives.
pub(crate) const ANSWER: Duration = Duration::from_secs(32);
/// The same for a watch and its first list: longer than a watch lasts (`feeds.rs`).
pub(crate) const WATCH: Duration = Duration::from_mins(4);

pub(crate) struct Clients {
    pub(crate) requests: Client,
    pub(crate) watches: Client,
    /// Without the fence: for the election alone.
    pub(crate) lease: Client,
}

impl Clients {
    pub(crate) async fn new(fence: &Fence, hearing: &Hearing) -> Result<Self, kube::Error> {
        Self::from_config(Config::infer().await.map_err(kube::Error::InferConfig)?, fence, hearing)
    }

    fn from_config(mut watches: Config, fence: &Fence, hearing: &Hearing) -> Result<Self, kube::Error> {
        // Else the time for which a pooled connection was idle would count too.
        watches.reset_reader_on_write = true;
        let mut requests = watches.clone();
        watches.read_timeout = Some(WATCH);
        requests.read_timeout = Some(ANSWER);
        // A reconcile that fails is repeated as a whole, with the stack's backoff. The client's own retries
        // of 429 and 503 would take minutes, during which nothing is reported.
        requests.default_retry = false;
        Ok(Self {
            lease: Client::try_from(requests.clone())?,
            requests: ClientBuilder::try_from(requests)?.with_layer(fence).build(),
            watches: ClientBuilder::try_from(watches)?.with_layer(hearing).build(),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::Instant};

    use super::*;

    // The clock runs ahead while everything waits.
    #[tokio::test(start_paused = true)]
    async fn a_silent_api_server_ends_no_request_early_and_each_request_at_last() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let clients = {
            let config = Config::new(server.parse().unwrap());
            Clients::from_config(config, &Fence::open(), &Hearing::default()).unwrap()
        };
        for (client, limit) in [(clients.requests, ANSWER), (clients.watches, WATCH)] {
            let start = Instant::now();
            assert!(client.apiserver_version().await.is_err());
            let waited = start.elapsed();
            assert!(waited >= limit && waited < limit * 2, "{waited:?}");
        }
    }
}
