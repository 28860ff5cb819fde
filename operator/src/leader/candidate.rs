//! When one replica may lead: a state machine over the Lease. It neither sends requests nor reads a clock;
//! `leader.rs` does.

use std::time::Duration;

use jiff::{Span, Timestamp};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::api::ObjectMeta;
use tokio::time::Instant;

use super::fence::Term;

/// Time between the end of the last write and the end of the lease: for clocks that run at different speeds,
/// and for a write that was cut off to end at the API server too.
const MARGIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timings {
    /// How long a lease that is not renewed is valid.
    pub(crate) lease: Duration,
    /// After this time without a renewal, its holder stops leading.
    pub(crate) renew_deadline: Duration,
    /// Time between two renewals. Others look at the lease twice as often.
    pub(crate) retry: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "--lease-seconds must be more than --renew-deadline-seconds, and that more than twice --retry-seconds"
)]
pub(crate) struct InvalidTimings;

#[derive(Clone, Debug)]
pub(crate) enum Request {
    Read,
    /// Create it if it has no resource version; else replace exactly that version.
    Write(Box<Lease>),
}

/// How the API server answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The lease as it was read or stored.
    Lease(Box<Lease>),
    Missing,
    /// Another version was stored in the meantime.
    Conflict,
    /// No answer, or another error: a write may have been stored.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Gained,
    /// Another replica holds the lease now.
    Taken,
    /// It was not renewed in time.
    NotRenewed,
    Deleted,
}

pub(crate) struct Candidate {
    identity: String,
    timings: Timings,
    /// The lease as it was seen last, and when that version was seen first.
    seen: Option<(Lease, Instant)>,
    exists: bool,
    /// Whether what was seen may be out of date, so that a write would only conflict.
    must_read: bool,
    /// When the request was sent that renewed the lease last, while this replica leads. Others measure the
    /// lease from a later moment: when they see the renewal. No two clocks are compared.
    renewed: Option<Instant>,
}

impl Timings {
    pub(crate) fn validate(self) -> Result<Self, InvalidTimings> {
        let Self { lease, renew_deadline, retry } = self;
        let is_valid = renew_deadline + MARGIN <= lease && retry * 2 < renew_deadline && !retry.is_zero();
        is_valid.then_some(self).ok_or(InvalidTimings)
    }

    /// The longest time for one request. One that is not answered leaves time for another.
    pub(crate) fn request(self) -> Duration {
        self.renew_deadline / 2
    }

    /// Time between two looks at the lease of another.
    pub(super) fn poll(self) -> Duration {
        self.retry / 2
    }
}

impl Candidate {
    pub(crate) fn new(identity: String, timings: Timings) -> Self {
        Self { identity, timings, seen: None, exists: false, must_read: true, renewed: None }
    }

    /// What to send now; `wall` is the time that is written for people to read.
    pub(crate) fn request(&self, now: Instant, wall: Timestamp) -> Request {
        if !self.must_read && self.may_hold(now) {
            Request::Write(Box::new(self.claim(wall)))
        } else {
            Request::Read
        }
    }

    /// Takes the answer to a request that was sent at `sent`.
    pub(crate) fn receive(
        &mut self,
        request: &Request,
        answer: Answer,
        sent: Instant,
        now: Instant,
    ) -> Option<Change> {
        let is_write = matches!(request, Request::Write(_));
        match answer {
            Answer::Lease(lease) => {
                let is_own = holder(&lease) == Some(&self.identity);
                self.see(*lease, now);
                if is_write {
                    return self.renew(sent, now);
                }
                if is_own { None } else { self.lose(Change::Taken) }
            }
            Answer::Missing => {
                // The time since when the holder was seen stays: it may not know yet.
                (self.exists, self.must_read) = (false, is_write);
                self.lose(Change::Deleted)
            }
            Answer::Conflict | Answer::Failed => {
                self.must_read = true;
                None
            }
        }
    }

    /// Ends a term that was not renewed in time.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Change> {
        let is_late = self.renewed.is_some_and(|renewed| now >= renewed + self.timings.renew_deadline);
        if is_late { self.lose(Change::NotRenewed) } else { None }
    }

    /// How long this replica may write, if it leads.
    pub(crate) fn term(&self) -> Option<Term> {
        self.renewed.map(|renewed| Term {
            start_until: renewed + self.timings.renew_deadline,
            end_by: renewed + self.timings.lease - MARGIN,
        })
    }

    /// When to send the next request, or to end the term.
    pub(crate) fn wake(&self, now: Instant) -> Instant {
        let poll = now + self.timings.poll();
        match (self.renewed, &self.seen) {
            (Some(renewed), _) if self.must_read => poll.min(renewed + self.timings.renew_deadline).max(now),
            (Some(renewed), _) => (renewed + self.timings.retry).max(now),
            (None, _) if self.must_read => poll,
            (None, _) if self.may_hold(now) => now,
            (None, Some((lease, since))) => poll.min(*since + self.duration(lease)).max(now),
            (None, None) => poll,
        }
    }

    /// Stops leading.
    pub(crate) fn resign(&mut self) {
        (self.renewed, self.must_read) = (None, true);
    }

    /// The lease without a holder, to be stored, if it was last seen to be held by this replica.
    pub(crate) fn released(&self, wall: Timestamp) -> Option<Lease> {
        if self.holder() != Some(&self.identity) {
            return None;
        }
        let mut lease = self.claim(wall);
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
        }
        Some(lease)
    }

    /// Who holds the lease, as far as it was seen.
    pub(crate) fn holder(&self) -> Option<&str> {
        self.seen.as_ref().and_then(|(lease, _)| holder(lease)).map(String::as_str)
    }

    fn renew(&mut self, sent: Instant, now: Instant) -> Option<Change> {
        let is_first = self.renewed.is_none();
        self.renewed = Some(sent);
        // An answer that came too late renews nothing.
        match self.expire(now) {
            Some(change) => (!is_first).then_some(change),
            None => is_first.then_some(Change::Gained),
        }
    }

    fn lose(&mut self, change: Change) -> Option<Change> {
        self.renewed.take().map(|_| change)
    }

    fn see(&mut self, lease: Lease, now: Instant) {
        // By version: a wall clock that jumps may write the same time again.
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        let before = self.seen.take().filter(|(before, _)| version(before) == version(&lease));
        let since = before.map_or(now, |(_, since)| since);
        self.seen = Some((lease, since));
        (self.exists, self.must_read) = (true, false);
    }

    /// Whether nobody else holds the lease, or its holder has not renewed it in time.
    fn may_hold(&self, now: Instant) -> bool {
        self.seen.as_ref().is_none_or(|(lease, since)| match holder(lease) {
            Some(holder) => *holder == self.identity || now >= *since + self.duration(lease),
            None => true,
        })
    }

    /// The duration that the holder relies on.
    fn duration(&self, lease: &Lease) -> Duration {
        let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map_or(self.timings.lease, Duration::from_secs)
    }

    /// The lease as this replica would hold it.
    fn claim(&self, wall: Timestamp) -> Lease {
        let seen = self.seen.as_ref().filter(|_| self.exists).map(|(lease, _)| lease);
        let before = seen.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let is_held = before.holder_identity.as_ref() == Some(&self.identity);
        // Others notice a renewal by its version, and a write that changes nothing has none.
        let is_same = before.renew_time.as_ref().is_some_and(|time| time.0 == wall);
        let wall =
            if is_same { wall.saturating_add(Span::new().microseconds(1)).unwrap_or(wall) } else { wall };
        let transitions = before.lease_transitions.unwrap_or_default();
        Lease {
            metadata: seen.map_or_else(ObjectMeta::default, |lease| lease.metadata.clone()),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(self.timings.lease.as_secs()).ok(),
                renew_time: Some(MicroTime(wall)),
                acquire_time: before.acquire_time.filter(|_| is_held).or(Some(MicroTime(wall))),
                lease_transitions: Some(transitions.saturating_add(i32::from(!is_held))),
                ..before
            }),
        }
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

#[cfg(test)]
mod tests;
