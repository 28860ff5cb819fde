//! When a shard may serve while shards of another count still run: a state machine over their Leases. It
//! neither sends requests nor reads a clock.
//!
//! Each shard holds the Lease of its index and count. After it has got it, and before it
//! serves, it lists the Leases of all shards: while one that overlaps with it is held, it does not serve.
//! Whoever gets a Lease later lists later, and sees this one: so of two shards with a stack in common, at
//! most one serves. Two that wait for each other are distinguished by their counts: the one with fewer shards
//! gives its Lease up until the other one's is free.

use std::{collections::HashMap, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::Shard;

/// What a shard that holds its Lease, and does not serve yet, is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Serve, until the Lease is lost or given up.
    Serve,
    /// Keep the Lease, and list again.
    Wait,
    /// Give the Lease up until `may_apply`.
    Yield,
}

/// The Leases of the shards of one installation.
pub(crate) struct Handover {
    shard: Shard,
    installation: String,
    /// The version of each Lease that was seen last, and when it was seen first. No two clocks are compared.
    seen: HashMap<Shard, (Option<String>, Instant)>,
}

impl Handover {
    pub(crate) fn new(installation: impl Into<String>, shard: Shard) -> Self {
        Self { shard, installation: installation.into(), seen: HashMap::new() }
    }

    /// Whether the shard may apply for its Lease, by a list of all Leases of the namespace.
    pub(crate) fn may_apply(&mut self, leases: &[Lease], now: Instant) -> bool {
        self.held(leases, now).into_iter().all(|other| other < self.shard)
    }

    /// What to do, by a list that was requested after the shard has got its Lease.
    pub(crate) fn turn(&mut self, leases: &[Lease], now: Instant) -> Turn {
        let held = self.held(leases, now);
        if held.is_empty() {
            Turn::Serve
        } else if held.into_iter().any(|other| other > self.shard) {
            Turn::Yield
        } else {
            Turn::Wait
        }
    }

    /// The shards of another count that have a stack in common with this one, and hold their Lease.
    fn held(&mut self, leases: &[Lease], now: Instant) -> Vec<Shard> {
        let mut held = Vec::new();
        for lease in leases {
            let Some(other) = self.shard_of(lease).filter(|other| self.competes(*other)) else { continue };
            let version = lease.metadata.resource_version.clone();
            let entry = self.seen.entry(other).or_insert_with(|| (version.clone(), now));
            if entry.0 != version {
                *entry = (version, now);
            }
            if is_held(lease, now.duration_since(entry.1)) {
                held.push(other);
            }
        }
        held
    }

    fn competes(&self, other: Shard) -> bool {
        other.count != self.shard.count && other.overlaps(self.shard)
    }

    fn shard_of(&self, lease: &Lease) -> Option<Shard> {
        let name = lease.name_any();
        let (installation, shard) = Shard::of_lease(&name);
        (installation == self.installation).then_some(shard)
    }
}

/// Whether the Lease has a holder who may still write. One that says for how long is valid for that long
/// since its last change was seen.
fn is_held(lease: &Lease, unchanged: Duration) -> bool {
    let Some(spec) = &lease.spec else { return false };
    let is_named = spec.holder_identity.as_deref().is_some_and(|holder| !holder.is_empty());
    let valid = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    is_named && valid.is_none_or(|seconds| unchanged < Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
