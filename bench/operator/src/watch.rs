//! Follows all objects of a kind by a watch. What they mean is the caller's.

use std::fmt::Debug;

use futures::{StreamExt as _, TryStreamExt as _};
use kube::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use serde::de::DeserializeOwned;

/// Passes on each state that the API server stores, until the task ends. The watch retries after an error,
/// which is printed.
pub(crate) async fn follow<K>(api: Api<K>, config: watcher::Config, receive: impl Fn(Event<K>) + Send)
where
    K: kube::Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut events = watcher::watcher(api, config).default_backoff().boxed();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => receive(event),
            Ok(None) => return,
            Err(error) => eprintln!("      watch: {error}"),
        }
    }
}
