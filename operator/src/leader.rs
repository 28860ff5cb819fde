//! The election of the replica that writes, by a Lease: requests and logs. The decisions are in
//! `leader/candidate.rs`; what keeps others from writing is `leader/fence.rs`.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
};
use todostack_crds::FIELD_MANAGER;
use todostack_stack::error_chain::one_line;
use tokio::{
    sync::watch as signal,
    time::{Instant, sleep, sleep_until, timeout},
};

use self::{
    candidate::{Answer, Candidate, Change, Request, Timings},
    fence::Fence,
};
use crate::{
    clock,
    lease_name::LeaseName,
    metrics::Metrics,
    shard::{
        Shard,
        handover::{Handover, Turn},
    },
};

pub(crate) mod candidate;
pub(crate) mod fence;

/// Pause before a release that had no answer or an error is tried again.
const RELEASE_AGAIN: Duration = Duration::from_millis(200);

pub(crate) struct Settings {
    /// That of the installation. Each of its shards has a Lease of its own.
    pub(crate) lease: LeaseName,
    pub(crate) shard: Shard,
    /// Who holds it: unlike that of any other replica.
    pub(crate) identity: String,
    pub(crate) timings: Timings,
}

/// Takes part in the election until it is stopped, and then gives the lease up.
pub(crate) struct Elector {
    api: Api<Lease>,
    lease: LeaseName,
    timings: Timings,
    candidate: Candidate,
    handover: Handover,
    /// Whether no other shard has served the stacks of this one since the lease was gained.
    is_turn: bool,
    fence: Fence,
    metrics: Metrics,
    /// Whether another shard keeps this one from applying for the lease.
    waits: bool,
    /// Whether the last request failed, which is logged once.
    is_failing: bool,
}

impl Elector {
    /// `client` is not fenced.
    pub(crate) fn new(client: Client, settings: Settings, fence: Fence, metrics: Metrics) -> Self {
        let Settings { lease, shard, identity, timings } = settings;
        Self {
            api: Api::namespaced(client, &lease.namespace),
            candidate: Candidate::new(identity, timings),
            handover: Handover::new(&lease.name, shard),
            is_turn: false,
            lease: lease.of_shard(shard),
            timings,
            fence,
            metrics,
            waits: false,
            is_failing: false,
        }
    }

    /// Runs until `stopped` becomes true: then nothing is written any more, and another replica may lead.
    pub(crate) async fn run(mut self, mut stopped: signal::Receiver<bool>) {
        let mut holder = None;
        while !*stopped.borrow() {
            // A request that is under way is not dropped: whether it was stored would not be known.
            self.step().await;
            let other = self.candidate.holder().filter(|_| self.candidate.term().is_none());
            if other != holder.as_deref() {
                if let Some(other) = other {
                    tracing::info!(lease = %self.lease, holder = other, "Standing by");
                }
                holder = other.map(str::to_owned);
            }
            tokio::select! {
                () = sleep_until(self.wake(clock::timer())) => {}
                // An error means that the sender was dropped: the process ends.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
            let change = self.candidate.expire(clock::timer());
            self.enforce(change.as_ref());
        }
        self.release().await;
    }

    async fn step(&mut self) {
        let sent = clock::timer();
        let request = self.candidate.request(sent, clock::now());
        let is_application = matches!(request, Request::Write(_)) && self.candidate.term().is_none();
        self.waits = is_application && !self.may_apply().await;
        if self.waits {
            return;
        }
        let answer = timeout(self.timings.request(), self.send(&request)).await;
        let answer = match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(one_line(&error)),
            Err(_) => Err(format!("no answer within {:?}", self.timings.request())),
        };
        if let Err(error) = &answer
            && !self.is_failing
        {
            tracing::warn!(lease = %self.lease, error, "Request for the lease failed; retrying");
        }
        self.is_failing = answer.is_err();
        let answer = answer.unwrap_or(Answer::Failed);
        let change = self.candidate.receive(&request, answer, sent, clock::timer());
        self.enforce(change.as_ref());
        if self.candidate.term().is_some() && !self.is_turn {
            self.take_turn().await;
        }
    }

    /// When to send the next request.
    fn wake(&self, now: Instant) -> Instant {
        let wake = self.candidate.wake(now);
        if self.waits { wake.max(now + self.timings.poll()) } else { wake }
    }

    /// Whether no other shard stands in the way of an application for the lease.
    async fn may_apply(&mut self) -> bool {
        let leases = self.list().await;
        leases.is_some_and(|leases| self.handover.may_apply(&leases, clock::timer()))
    }

    /// Begins to serve, unless a shard of another count still serves some of the stacks.
    async fn take_turn(&mut self) {
        let Some(leases) = self.list().await else { return };
        match self.handover.turn(&leases, clock::timer()) {
            Turn::Serve => {
                self.is_turn = true;
                self.enforce(None);
                tracing::info!(lease = %self.lease, "Leading: reconciling all stacks");
            }
            Turn::Wait => tracing::info!(lease = %self.lease, "Waiting for a shard of another count to stop"),
            Turn::Yield => self.release().await,
        }
    }

    /// The leases of the namespace. Of those, the ones of shards count.
    async fn list(&self) -> Option<Vec<Lease>> {
        match timeout(self.timings.request(), self.api.list(&ListParams::default())).await {
            Ok(Ok(leases)) => Some(leases.items),
            Ok(Err(error)) => {
                tracing::warn!(lease = %self.lease, error = %one_line(&error), "List of leases failed; retrying");
                None
            }
            Err(_) => {
                tracing::warn!(lease = %self.lease, "List of leases had no answer; retrying");
                None
            }
        }
    }

    async fn send(&self, request: &Request) -> Result<Answer, kube::Error> {
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let name = &self.lease.name;
        let answer = match request {
            Request::Read => self.api.get(name).await,
            Request::Write(lease) if lease.metadata.resource_version.is_some() => {
                self.api.replace(name, &parameters, lease).await
            }
            Request::Write(lease) => {
                let mut lease = lease.clone();
                lease.metadata.name = Some(name.clone());
                self.api.create(&parameters, &lease).await
            }
        };
        match answer {
            Ok(lease) => Ok(Answer::Lease(Box::new(lease))),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Answer::Missing),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Answer::Conflict),
            Err(error) => Err(error),
        }
    }

    /// First of all the fence: what follows may take time.
    fn enforce(&mut self, change: Option<&Change>) {
        self.is_turn &= self.candidate.term().is_some();
        self.fence.set(self.candidate.term().filter(|_| self.is_turn));
        self.metrics.leading(self.fence.is_leading());
        let lease = &self.lease;
        match change {
            None | Some(Change::Gained) => {}
            Some(Change::Taken) => tracing::error!(
                %lease, holder = self.candidate.holder(),
                "Lost the lease: another replica holds it. Standing by"
            ),
            Some(Change::NotRenewed) => tracing::error!(
                %lease, after = ?self.timings.renew_deadline,
                "Lost the lease: the API server accepted no renewal in time. Standing by"
            ),
            Some(Change::Deleted) => {
                tracing::error!(%lease, "Lost the lease: it was deleted. Standing by");
            }
        }
    }

    /// Nothing is written from here on, so another replica may lead at once.
    async fn release(&mut self) {
        self.fence.set(None);
        self.metrics.leading(false);
        (self.is_turn, self.waits) = (false, false);
        self.candidate.resign();
        match timeout(self.timings.request(), self.store_release()).await {
            Ok(true) => tracing::info!(lease = %self.lease, "Released the lease"),
            Ok(false) => {}
            Err(_) => tracing::warn!(lease = %self.lease, "The lease was not released; it expires"),
        }
    }

    /// Tries until the lease names another holder or none; returns whether it was this replica's.
    async fn store_release(&mut self) -> bool {
        while let Some(lease) = self.candidate.released(clock::now()) {
            let write = Request::Write(Box::new(lease));
            match self.send(&write).await {
                Ok(Answer::Lease(_)) => return true,
                Ok(Answer::Missing) => return false,
                Ok(Answer::Conflict | Answer::Failed) => {}
                Err(error) => {
                    tracing::warn!(lease = %self.lease, error = %one_line(&error), "Release failed; retrying");
                    sleep(RELEASE_AGAIN).await;
                }
            }
            // Which version is stored: another one than was seen, or that of a write without an answer.
            let sent = clock::timer();
            if let Ok(answer) = self.send(&Request::Read).await {
                self.candidate.receive(&Request::Read, answer, sent, clock::timer());
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
