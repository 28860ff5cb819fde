//! Waiting for a condition with a deadline. Nothing here sleeps for a fixed time.

use std::{fmt::Debug, time::Duration};

use anyhow::{Context as _, Result, bail};
use kube::{
    Api, Resource, ResourceExt as _,
    runtime::wait::{Condition, await_condition},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

// Between two attempts at what cannot be watched.
const RETRY_EVERY: Duration = Duration::from_millis(200);

// Watches one object until `condition` holds, and returns it (`None` if it does not exist).
// `expected` completes the error "not … within 30 s".
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    expected: &str,
    deadline: Duration,
    condition: impl Condition<K>,
) -> Result<Option<K>>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    match timeout(deadline, await_condition(api.clone(), name, condition)).await {
        Ok(object) => object.with_context(|| format!("failed to watch {name}")),
        Err(_) => bail!("{name}: not {expected} within {} s", deadline.as_secs()),
    }
}

pub async fn until_deleted<K>(api: &Api<K>, name: &str, deadline: Duration) -> Result<()>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    until(api, name, "deleted", deadline, |object: Option<&K>| object.is_none()).await.map(drop)
}

// Waits until another object has the name of `old`.
pub async fn until_replaced<K>(api: &Api<K>, old: &K, deadline: Duration) -> Result<()>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    let is_new = |object: Option<&K>| object.is_some_and(|it| it.uid() != old.uid());
    until(api, &old.name_any(), "replaced", deadline, is_new).await.map(drop)
}

// Calls `attempt` until it succeeds. The error at the deadline includes the last error.
pub async fn eventually<T, F>(expected: &str, deadline: Duration, mut attempt: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    let end = Instant::now() + deadline;
    // An attempt can take longer than the interval, and ticks that were missed must not follow in a burst.
    let mut ticks = interval(RETRY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= end => {
                return Err(error.context(format!("not {expected} within {} s", deadline.as_secs())));
            }
            Err(_) => {}
        }
    }
}
