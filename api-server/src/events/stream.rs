//! The body of one event stream: what is behind from the log, then the events as they come, heartbeats
//! between them.
//!
//! # Guarantees
//! - Every change of the owner after the position where the stream begins is sent once, in the order of the
//!   log, or a reset in its place.
//! - The stream ends with the token that it was opened with, and when the service stops.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::stream;
use todostack_store::{Error, Position, Store};
use tokio::time::{Instant, sleep_until};

use super::{
    format,
    hub::{Next, Subscription},
};
use crate::{chain::chain, links::Links};

/// Proxies close a connection that is silent, most after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The maximum number of changes that a stream which is behind reads, and sends, at a time.
const PAGE: i64 = 100;

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Now.
    Now,
    /// After the event with this id.
    After(Position),
    /// After an id that is not of this log.
    Unknown,
}

struct Stream {
    store: Arc<dyn Store>,
    subscription: Subscription,
    links: Links,
    expires: Option<Instant>,
    heartbeat: Instant,
    /// All events up to here were sent.
    sent: Position,
    behind: bool,
}

/// The stream ends when `expires` has passed.
pub(crate) fn stream(
    (store, subscription): (Arc<dyn Store>, Subscription),
    resume: Resume,
    links: Links,
    expires: Option<Instant>,
) -> Body {
    let joined = subscription.joined;
    let (sent, first) = match resume {
        Resume::After(position) if position.log == joined.log => (position, format::start(position)),
        Resume::Now => (joined, format::start(joined)),
        Resume::After(_) | Resume::Unknown => (joined, format::reset(joined)),
    };
    let heartbeat = Instant::now() + HEARTBEAT;
    let stream = Stream { store, subscription, links, expires, heartbeat, sent, behind: sent < joined };
    // The first block at once: a client, and proxies before it, know that the stream is open.
    Body::from_stream(stream::unfold((stream, Some(first)), async |(mut stream, first)| {
        let block = match first {
            Some(first) => first,
            None => stream.next().await?,
        };
        Some((Ok::<_, Infallible>(block), (stream, None)))
    }))
}

impl Stream {
    /// The next blocks; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.expires.is_some_and(|expires| expires <= Instant::now()) {
                return None;
            }
            if self.behind {
                match self.catch_up().await? {
                    blocks if blocks.is_empty() => continue,
                    blocks => return Some(blocks),
                }
            }
            let changed = Arc::clone(&self.subscription.changed);
            let mut changed = pin!(changed.notified());
            // Before the events are looked at, so that none comes in between.
            changed.as_mut().enable();
            match self.subscription.take() {
                Next::Event(event) if event.what.is_some() && event.position <= self.sent => {}
                Next::Event(event) => {
                    self.sent = event.position;
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    return Some(event.text(&self.links));
                }
                Next::Behind => self.behind = true,
                Next::Ended => return None,
                Next::Nothing(read) => {
                    self.sent = self.sent.max(read);
                    let until = self.expires.map_or(self.heartbeat, |expires| expires.min(self.heartbeat));
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(until) => {
                            if self.heartbeat <= Instant::now() {
                                self.heartbeat = Instant::now() + HEARTBEAT;
                                return Some(format::heartbeat(self.sent));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Some of what is in the log only.
    async fn catch_up(&mut self) -> Option<Bytes> {
        let Subscription { hub, owner, joined, .. } = &self.subscription;
        let turn = hub.catching_up.acquire().await.ok()?;
        let changes = self.store.changes(Some(owner), self.sent, PAGE).await;
        drop(turn);
        match changes {
            Ok(Some(changes)) => {
                self.behind = i64::try_from(changes.len()).is_ok_and(|count| count == PAGE);
                let mut blocks = BytesMut::new();
                for change in changes {
                    self.sent = change.position;
                    blocks.extend(format::change(change.position, &change.what, &self.links));
                }
                Some(blocks.freeze())
            }
            Ok(None) => {
                (self.sent, self.behind) = (*joined, false);
                Some(format::reset(*joined))
            }
            Err(error) => {
                // The client resumes, on another replica perhaps.
                if !matches!(error, Error::Overloaded) {
                    tracing::warn!(
                        error = chain(&error),
                        "Failed to read the log of changes: ended a stream"
                    );
                }
                None
            }
        }
    }
}
