//! Waiting for a condition with a deadline; nothing here sleeps for its own sake.

use std::{fmt::Debug, time::Duration};

use anyhow::{Context as _, Result, bail};
use kube::{
    Api, Resource,
    runtime::wait::{Condition, await_condition},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Between two looks at what cannot be watched.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Watches one object until `condition` holds, and gives it back (none when the condition is that it is gone).
///
/// `what` completes the sentence "… within 30 s" of the error.
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    (what, deadline): (&str, Duration),
    condition: impl Condition<K>,
) -> Result<Option<K>>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    match timeout(deadline, await_condition(api.clone(), name, condition)).await {
        Ok(found) => found.with_context(|| format!("failed to watch {name}")),
        Err(_) => bail!("{name}: not {what} within {} s", deadline.as_secs()),
    }
}

/// Asks again and again until the answer is there; the last error or refusal is part of the error at the deadline.
pub async fn eventually<T, F>(what: &str, deadline: Duration, mut ask: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    let end = Instant::now() + deadline;
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() >= end => {
                return Err(error.context(format!("not {what} within {} s", deadline.as_secs())));
            }
            Err(_) => {}
        }
    }
}
