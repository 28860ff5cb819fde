//! `todostack-api try`: copies the SQLite file, and serves the copy until it is ready. A version that cannot
//! migrate the file, or cannot start with its settings, fails here while the one before serves on.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{sleep, timeout};

use crate::{
    config::{AuthArgs, ServeArgs, TraceArgs, TryArgs},
    database::Database,
    healthcheck, serve,
};

/// A migrated file is ready at once.
const READY_WITHIN: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Fails when the copy cannot be migrated or served.
pub async fn run(
    database: &Database,
    args: TryArgs,
    serve: ServeArgs,
    (auth, traces): (AuthArgs, TraceArgs),
) -> anyhow::Result<()> {
    let TryArgs { copy } = args;
    let copy = database.copy_to(&copy).await?;
    let operations_listen = serve.operations_listen;
    let mut why = None;
    let ready = async {
        while let Err(error) = healthcheck::run(operations_listen).await {
            why = Some(error);
            sleep(ASK_EVERY).await;
        }
    };
    let ready = tokio::select! {
        served = serve::run(copy, serve, auth, traces) => {
            return served.and_then(|()| anyhow::bail!("stopped before the copy was ready"));
        }
        ready = timeout(READY_WITHIN, ready) => ready,
    };
    if let (Err(elapsed), Some(why)) = (ready, why) {
        return Err(why).context(elapsed).context("the copy is not ready");
    }
    tracing::info!("This version serves a copy of the file");
    Ok(())
}
