//! How often objects are written again although their desired state is the same, because others change them:
//! after some rounds the operator waits longer and longer. In memory only, with the time as an argument; what
//! a conflict means is decided in `stack/`.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::api::ObjectMeta;
use todostack_stack::{applied::Dispute, labels::APPLIED, managed::Key, stack_ref::StackRef};
use tokio::time::Instant;

/// Writes of the same desired state after which another controller is taken to change the object each time.
const ROUNDS: u32 = 5;
/// How long an object stays as it is until the conflict counts as over. Rounds that are further apart do not
/// count together.
const QUIET: Duration = Duration::from_mins(5);
/// Pause after the last of these rounds. It doubles with each further one.
const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_mins(15);
/// How long an object that nothing concerns any more is remembered.
const KEPT: Duration = Duration::from_hours(1);

/// An object of a stack at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) stack: &'a StackRef,
    pub(crate) key: &'a Key,
    pub(crate) now: Instant,
}

/// The rounds of each object, by the stack's uid.
#[derive(Default)]
pub(crate) struct Corrections(Mutex<HashMap<(String, Key), Rounds>>);

struct Rounds {
    /// Of the desired state that was written.
    stamp: Option<String>,
    /// resourceVersion of the last write. A write that changes nothing leaves it as it is.
    version: Option<String>,
    count: u32,
    /// When the object was written last.
    written: Instant,
    /// When it was last seen changed or written.
    seen: Instant,
    /// Whether it is changed, and its write waits.
    is_waiting: bool,
    /// What was found first. It stays the same, so that the message does.
    dispute: Option<Dispute>,
}

impl Rounds {
    fn is_disputed(&self) -> bool {
        self.count >= ROUNDS
    }

    fn pause(&self) -> Duration {
        let exponent = self.count.saturating_sub(ROUNDS);
        FIRST.saturating_mul(2u32.saturating_pow(exponent)).min(LONGEST)
    }

    /// When something is due: the next write, or the end of the conflict.
    fn due(&self) -> Option<Instant> {
        self.is_disputed()
            .then(|| if self.is_waiting { self.written + self.pause() } else { self.seen + QUIET })
    }
}

impl Corrections {
    /// Whether the object, which differs from its desired state, is to be written now. `dispute` says what
    /// differs.
    pub(crate) fn is_due(
        &self,
        seen: Seen<'_>,
        stamp: Option<&str>,
        dispute: impl FnOnce() -> Dispute,
    ) -> bool {
        let Seen { stack, key, now } = seen;
        let mut all = self.lock();
        let at = (stack.uid.clone(), key.clone());
        let Some(rounds) = all.get_mut(&at) else { return true };
        let is_over = !rounds.is_waiting && now.duration_since(rounds.seen) >= QUIET;
        if is_over || rounds.stamp.as_deref() != stamp {
            all.remove(&at);
            return true;
        }
        rounds.seen = now;
        if !rounds.is_disputed() {
            return true;
        }
        rounds.dispute.get_or_insert_with(dispute);
        rounds.is_waiting = now.duration_since(rounds.written) < rounds.pause();
        !rounds.is_waiting
    }

    /// The object is as desired.
    pub(crate) fn is_current(&self, seen: Seen<'_>) {
        let Seen { stack, key, now } = seen;
        let mut all = self.lock();
        let at = (stack.uid.clone(), key.clone());
        let Some(rounds) = all.get_mut(&at) else { return };
        rounds.is_waiting = false;
        if now.duration_since(rounds.seen) >= QUIET {
            all.remove(&at);
        }
    }

    /// An object that existed was written, with this result.
    pub(crate) fn written(&self, seen: Seen<'_>, result: &ObjectMeta) {
        let Seen { stack, key, now } = seen;
        let stamp = result.annotations.as_ref().and_then(|it| it.get(APPLIED)).cloned();
        let version = result.resource_version.clone();
        let mut all = self.lock();
        all.retain(|_, rounds| now.duration_since(rounds.seen) < KEPT);
        let rounds = all.entry((stack.uid.clone(), key.clone())).or_insert_with(|| Rounds {
            stamp: stamp.clone(),
            version: None,
            count: 0,
            written: now,
            seen: now,
            is_waiting: false,
            dispute: None,
        });
        // The caches lagged behind, and nobody had changed the object.
        if rounds.version == version {
            return;
        }
        rounds.count = rounds.count.saturating_add(1);
        (rounds.stamp, rounds.version) = (stamp, version);
        (rounds.written, rounds.seen, rounds.is_waiting) = (now, now, false);
    }

    /// What others change again and again.
    pub(crate) fn disputes(&self, stack: &StackRef) -> Vec<Dispute> {
        let all = self.lock();
        let own = all.iter().filter(|((uid, _), _)| *uid == stack.uid);
        let mut disputes: Vec<_> = own.filter_map(|(_, rounds)| rounds.dispute.clone()).collect();
        disputes.sort_by(|one, two| one.key.cmp(&two.key));
        disputes
    }

    /// The time until a write is due, or a conflict is over. What was due and did not happen waits for
    /// something else.
    pub(crate) fn pause(&self, stack: &StackRef, now: Instant) -> Option<Duration> {
        let all = self.lock();
        let own = all.iter().filter(|((uid, _), _)| *uid == stack.uid);
        let next = own.filter_map(|(_, rounds)| rounds.due()).filter(|due| *due > now).min()?;
        Some(next.duration_since(now))
    }

    /// Evicts the objects of a stack that are not desired any more.
    pub(crate) fn retain(&self, stack: &StackRef, desired: &[Key]) {
        self.lock().retain(|(uid, key), _| *uid != stack.uid || desired.contains(key));
    }

    /// Evicts the objects of a deleted stack.
    pub(crate) fn evict(&self, stack: &StackRef) {
        self.retain(stack, &[]);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, Key), Rounds>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
