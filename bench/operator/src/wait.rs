//! Waits for a condition of the cluster with a deadline, and prints how far it is. Nothing else sleeps.

use std::time::{Duration, Instant};

use anyhow::bail;

const PROGRESS: Duration = Duration::from_secs(15);

/// Polls until `probe` returns a value or `limit` has passed. The text says how far it is.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> anyhow::Result<Result<T, String>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut printed = started;
    loop {
        let last = match probe().await? {
            Ok(value) => return Ok(value),
            Err(last) => last,
        };
        if started.elapsed() > limit {
            bail!("timed out after {} s waiting for {what}: {last}", limit.as_secs());
        }
        if printed.elapsed() > PROGRESS {
            printed = Instant::now();
            eprintln!("      {:4.0} s: {last}", started.elapsed().as_secs_f64());
        }
        pause(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
