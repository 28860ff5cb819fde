//! Reads the log of changes for all streams of this replica, as long as there are any. Who gets a change is
//! decided in `hub`.

use std::{sync::Arc, time::Duration};

use todostack_store::{Position, Result, Store};
use tokio::time::{Instant, sleep};

use super::hub::Hub;
use crate::chain::chain;

/// The maximum number of changes of one query.
const PAGE: i64 = 500;
/// The pause after a failed query.
const RETRY: Duration = Duration::from_secs(1);

/// Reads what comes after the position. When the database is not available, the streams wait.
pub(super) async fn read(hub: Arc<Hub>, store: Arc<dyn Store>, mut position: Position) {
    let (mut changed_at, mut failed) = (Instant::now(), false);
    while hub.is_followed() {
        match read_once(&hub, &*store, &mut position).await {
            Ok(0) => store.changed(changed_at.elapsed()).await,
            // More may be there already.
            Ok(_) => changed_at = Instant::now(),
            Err(error) => {
                // Once, and not each second.
                if !failed {
                    let error = chain(&error);
                    tracing::warn!(error, "Failed to read the log of changes: streams of events wait");
                }
                failed = true;
                sleep(RETRY).await;
                continue;
            }
        }
        failed = false;
    }
}

/// Returns the number of changes that were read.
async fn read_once(hub: &Hub, store: &dyn Store, position: &mut Position) -> Result<usize> {
    let Some(changes) = store.changes(None, *position, PAGE).await? else {
        *position = store.end_of_log().await?;
        tracing::warn!("The log of changes was lost, or read too late: streams of events are reset");
        hub.reset(*position);
        return Ok(1);
    };
    let count = changes.len();
    if let Some(last) = changes.last() {
        *position = last.position;
        hub.publish(changes, *position);
    }
    Ok(count)
}
