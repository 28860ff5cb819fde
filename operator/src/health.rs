//! Whether the operator still hears the API server and reconciles. Pure: `probes.rs` reports it,
//! `hearing.rs` and `running.rs` collect what it is decided from.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{hearing::Feed, reconcile::LONGEST};

/// A feed that has brought nothing for this time is silent. A quiet watch brings a bookmark each minute and
/// is reopened every 200 s (`feeds.rs`), and one without any byte for 240 s is closed (`clients.rs`).
const SILENT: Duration = Duration::from_mins(5);
/// A reconcile has a time limit; one that runs longer than this is not even polled.
const HANGING: Duration = LONGEST.saturating_add(Duration::from_mins(1));

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    NotListed,
    Silent(Duration),
}

/// The feeds that are behind. One that ended, because its namespace is no longer watched, is none.
pub(crate) fn behind(feeds: &BTreeMap<String, Feed>, now: Instant) -> Vec<(&str, Behind)> {
    let current = feeds.iter().filter(|(_, feed)| is_current(feed, now));
    let behind = current.filter_map(|(name, feed)| {
        let silence = silence(feed, now);
        let behind = match feed.is_listed {
            _ if silence >= SILENT => Behind::Silent(silence),
            true => return None,
            false => Behind::NotListed,
        };
        Some((name.as_str(), behind))
    });
    behind.collect()
}

/// Why the process should be replaced, if it should.
pub(crate) fn ailment(
    feeds: &BTreeMap<String, Feed>,
    oldest_reconcile: Option<Instant>,
    now: Instant,
) -> Option<String> {
    let running = oldest_reconcile.map_or(Duration::ZERO, |start| now.duration_since(start));
    if running > HANGING {
        return Some(format!("a reconcile has been running for {} s", running.as_secs()));
    }
    let silence = feeds.values().map(|feed| silence(feed, now)).min()?;
    (silence >= SILENT).then(|| format!("no watch has brought anything for {} s", silence.as_secs()))
}

fn is_current(feed: &Feed, now: Instant) -> bool {
    feed.open > 0 || now.duration_since(feed.asked.1) < SILENT
}

fn silence(feed: &Feed, now: Instant) -> Duration {
    now.duration_since(feed.heard.unwrap_or(feed.asked.0))
}

#[cfg(test)]
mod tests;
