//! The streams of this replica by owner, and the newest events for them, in bounded memory. What reads the
//! log is in `feed`, what a stream does in `stream`.
//!
//! # Guarantees
//! - Memory does not depend on how slow a stream is: it has a number, and the events are shared. When one was
//!   dropped that a stream has not sent, the stream is behind and reads the log itself.
//! - A change of one owner costs the streams of other owners nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::metrics::gauge::Gauge;
use todostack_store::{Change, Owner, Position, Store};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::format::Event;
use crate::error::ApiError;

/// The newest events of all owners together: enough for the batches of a second.
const KEPT: usize = 4_096;
/// The streams that read the log at a time when they are behind, so that they leave connections of the
/// database to requests.
const CATCHING_UP: usize = 2;

/// Counts a stream as open until it is dropped.
type Seat = OwnedSemaphorePermit;

pub(crate) struct Hub {
    pub(super) catching_up: Semaphore,
    seats: Arc<Semaphore>,
    open: Gauge,
    /// Held while the feed starts.
    starting: tokio::sync::Mutex<()>,
    topics: Mutex<Topics>,
}

#[derive(Default)]
struct Topics {
    /// The end of what was read of the log; `None` while nobody reads it.
    read: Option<Position>,
    by_owner: HashMap<Owner, Topic>,
    /// The owner of each kept event, oldest first. The number of the last one is `next - 1`.
    kept: VecDeque<Owner>,
    next: u64,
    ended: bool,
}

#[derive(Default)]
struct Topic {
    /// The kept events with their numbers, oldest first.
    events: VecDeque<(u64, Arc<Event>)>,
    /// Events below this number were dropped.
    first: u64,
    streams: usize,
    changed: Arc<Notify>,
}

impl Topics {
    fn append(&mut self, owner: &Owner, event: &Arc<Event>) -> Option<Arc<Notify>> {
        let topic = self.by_owner.get_mut(owner)?;
        topic.events.push_back((self.next, Arc::clone(event)));
        let changed = Arc::clone(&topic.changed);
        self.kept.push_back(owner.clone());
        self.next = self.next.saturating_add(1);
        if self.kept.len() > KEPT {
            self.drop_oldest();
        }
        Some(changed)
    }

    fn drop_oldest(&mut self) {
        let number = self.next.saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX));
        let topic = self.kept.pop_front().and_then(|owner| self.by_owner.get_mut(&owner));
        // A topic that began after the event does not have it.
        if let Some(topic) = topic.filter(|it| it.events.front().is_some_and(|(it, _)| *it == number)) {
            topic.events.pop_front();
            topic.first = number.saturating_add(1);
        }
    }
}

impl Hub {
    /// `open` is the number of open streams.
    pub(crate) fn new(max_streams: usize, open: Gauge) -> Arc<Self> {
        Arc::new(Self {
            catching_up: Semaphore::new(CATCHING_UP),
            seats: Arc::new(Semaphore::new(max_streams.min(Semaphore::MAX_PERMITS))),
            open,
            starting: tokio::sync::Mutex::default(),
            topics: Mutex::default(),
        })
    }

    /// Fails when there are too many streams, or when the service stops. The store is that of this thread
    /// (docs/adr/0010); if nobody reads the log, it is read on this thread from now on.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        owner: &Owner,
    ) -> Result<Subscription, ApiError> {
        let mut seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| ApiError::TooManyStreams)?;
        seat = match self.join(owner, None, seat) {
            Ok(subscription) => return Ok(subscription),
            Err(seat) => seat,
        };
        let _starting = self.starting.lock().await;
        // Another stream may have started it meanwhile.
        seat = match self.join(owner, None, seat) {
            Ok(subscription) => return Ok(subscription),
            Err(seat) => seat,
        };
        let end = store.end_of_log().await?;
        let subscription = self.join(owner, Some(end), seat).map_err(|_| ApiError::Overloaded)?;
        tokio::spawn(super::feed::read(Arc::clone(self), Arc::clone(store), end));
        Ok(subscription)
    }

    /// Fails while nobody reads the log, unless it is read from `start` now, and when the service stops.
    fn join(
        self: &Arc<Self>,
        owner: &Owner,
        start: Option<Position>,
        seat: Seat,
    ) -> Result<Subscription, Seat> {
        let mut topics = self.topics();
        let Some(joined) = topics.read.or(start).filter(|_| !topics.ended) else { return Err(seat) };
        topics.read = Some(joined);
        let next = topics.next;
        let topic = topics.by_owner.entry(owner.clone()).or_default();
        topic.streams = topic.streams.saturating_add(1);
        let changed = Arc::clone(&topic.changed);
        drop(topics);
        self.open.inc();
        Ok(Subscription { hub: Arc::clone(self), owner: owner.clone(), next, joined, changed, _seat: seat })
    }

    /// Hands changes to the streams of their owners; all that is before `read` was handed out then.
    pub(super) fn publish(&self, changes: Vec<Change>, read: Position) {
        let mut wakers: Vec<Arc<Notify>> = Vec::new();
        let mut topics = self.topics();
        topics.read = Some(read);
        for Change { position, owner, what } in changes {
            let topic = topics.append(&owner, &Arc::new(Event::new(position, Some(what))));
            wakers.extend(topic.filter(|it| wakers.last().is_none_or(|last| !Arc::ptr_eq(last, it))));
        }
        drop(topics);
        for waker in wakers {
            waker.notify_waiters();
        }
    }

    /// Changes are missing: all streams continue at this position.
    pub(super) fn reset(&self, read: Position) {
        let mut topics = self.topics();
        topics.read = Some(read);
        let owners: Vec<Owner> = topics.by_owner.keys().cloned().collect();
        let event = Arc::new(Event::new(read, None));
        let wakers: Vec<_> = owners.iter().filter_map(|owner| topics.append(owner, &event)).collect();
        drop(topics);
        for waker in wakers {
            waker.notify_waiters();
        }
    }

    /// Whether somebody follows what is read. Otherwise the feed has to stop.
    pub(super) fn is_followed(&self) -> bool {
        let mut topics = self.topics();
        if topics.by_owner.is_empty() || topics.ended {
            topics.read = None;
        }
        topics.read.is_some()
    }

    /// Ends all streams; no further one begins.
    pub(crate) fn end(&self) {
        let mut topics = self.topics();
        topics.ended = true;
        for topic in topics.by_owner.values() {
            topic.changed.notify_waiters();
        }
    }

    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What follows for a stream.
pub(super) enum Next {
    Event(Arc<Event>),
    /// An event was dropped before: the log has it, up to `Subscription::joined` at least.
    Behind,
    /// All up to this position was taken.
    Nothing(Position),
    Ended,
}

/// A stream's place among the events of its owner; given up when this is dropped.
pub(crate) struct Subscription {
    pub(super) hub: Arc<Hub>,
    pub(super) owner: Owner,
    /// The number of the next event.
    next: u64,
    /// All that was before this position when the subscription began, or fell behind, is not in its events.
    pub(super) joined: Position,
    pub(super) changed: Arc<Notify>,
    _seat: Seat,
}

impl Subscription {
    pub(super) fn take(&mut self) -> Next {
        let topics = self.hub.topics();
        let (Some(topic), Some(read), false) = (topics.by_owner.get(&self.owner), topics.read, topics.ended)
        else {
            return Next::Ended;
        };
        if topic.first > self.next {
            (self.next, self.joined) = (topics.next, read);
            return Next::Behind;
        }
        let place = topic.events.partition_point(|(number, _)| *number < self.next);
        match topic.events.get(place) {
            Some((number, event)) => {
                self.next = number.saturating_add(1);
                Next::Event(Arc::clone(event))
            }
            None => Next::Nothing(read),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.open.dec();
        let mut topics = self.hub.topics();
        if let Some(topic) = topics.by_owner.get_mut(&self.owner) {
            topic.streams = topic.streams.saturating_sub(1);
            if topic.streams == 0 {
                topics.by_owner.remove(&self.owner);
            }
        }
    }
}
