//! Step 4: the only writer of managed objects. Server-side apply with one field manager, and no write where
//! nothing differs. What objects hold is decided by `build`.

use futures::future;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, Preconditions},
};
use serde_json::Value;
use todostack_crds::FIELD_MANAGER;
use todostack_stack::{
    applied::Applied,
    build::{Desired, build},
    managed::{Key, Kind, ManagedResource, Object},
    observed::Observed,
    reclaim,
    stack::Stack,
    stack_ref::StackRef,
};

use self::{
    dispute::dispute,
    precondition::{expecting, is_conflict},
};
use crate::{clock, context::Context, corrections::Seen, upgrades};

pub(crate) mod cleanup;
mod dispute;
mod migration;
mod ownership;
mod precondition;
pub(crate) mod reclaim_policy;
pub(crate) mod stuck_pod;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An object cannot be written as JSON.
    #[error("failed to serialize {0}")]
    Serialize(Key, #[source] serde_json::Error),
    /// The API server did not answer, or answered with an error of its own.
    #[error("failed to apply {0}")]
    Write(Key, #[source] kube::Error),
}

/// What was stored, and the first error of the API server, for which the reconcile is repeated after its
/// status is published.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) applied: Applied,
    pub(crate) error: Option<Error>,
    /// Whether a request had no answer: the others would have none either, and each waits for its timeout.
    is_silent: bool,
}

impl Outcome {
    fn extend(&mut self, other: Self) {
        let Self { applied, error, is_silent } = other;
        self.applied.extend(applied);
        self.error = self.error.take().or(error);
        self.is_silent |= is_silent;
    }
}

/// Writes what differs. A resource is written when all that it needs is stored and the operator's own: a pod
/// must not mount a claim, or log in with a Secret, that someone else created. Resources that do not need
/// each other are written at the same time.
pub(crate) async fn apply(context: &Context, stack: &Stack, observed: &Observed) -> Result<Outcome, Error> {
    let writer = Writer { context, stack: &stack.id, observed, released: reclaim::released(stack, observed) };
    let mut waiting = build(stack);
    waiting.retain(|(_, desired)| *desired != Desired::Keep);
    let objects = waiting.iter().filter_map(|(_, desired)| match desired {
        Desired::Apply(object) => Some(object.key()),
        Desired::Keep | Desired::Delete(_) => None,
    });
    context.corrections.retain(&stack.id, &objects.collect::<Vec<_>>());
    let (mut outcome, mut blocked) = (Outcome::default(), Vec::new());
    while !waiting.is_empty() && !outcome.is_silent {
        let unwritten: Vec<_> = waiting.iter().map(|(resource, _)| *resource).collect();
        let (ready, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(resource, _)| !resource.needs().iter().any(|needed| unwritten.contains(needed)));
        let (writer, is_blocked) = (&writer, |needed: &ManagedResource| blocked.contains(needed));
        let requests = ready.iter().map(|(resource, desired)| {
            let is_blocked = resource.needs().iter().any(is_blocked);
            async move {
                match desired {
                    Desired::Apply(_) if is_blocked => Ok((false, Outcome::default())),
                    desired => writer.bring_about(*resource, desired).await,
                }
            }
        });
        for ((resource, _), written) in ready.iter().zip(future::join_all(requests).await) {
            let (is_stored, written) = written?;
            outcome.extend(written);
            if !is_stored {
                blocked.push(*resource);
            }
        }
        waiting = later;
    }
    upgrades::return_unused(context, stack);
    outcome.applied.disputes = context.corrections.disputes(&stack.id);
    Ok(outcome)
}

/// The object as it is applied.
fn stamped(object: &Object) -> Result<Value, Error> {
    let value = serde_json::to_value(object).map_err(|source| Error::Serialize(object.key(), source))?;
    Ok(ownership::stamp(value))
}

struct Writer<'a> {
    context: &'a Context,
    stack: &'a StackRef,
    observed: &'a Observed,
    /// The volume of a deleted claim that the stack's claim is to be bound to.
    released: Option<&'a PersistentVolume>,
}

impl Writer<'_> {
    /// Returns whether the resource is as desired, and what came of the requests.
    async fn bring_about(
        &self,
        resource: ManagedResource,
        desired: &Desired,
    ) -> Result<(bool, Outcome), Error> {
        let mut outcome = Outcome::default();
        let is_stored = match (resource, desired) {
            (_, Desired::Keep) => true,
            (ManagedResource::MigrationJob, Desired::Apply(job)) => self.migration(job, &mut outcome).await?,
            (ManagedResource::PostgresClaim | ManagedResource::SqliteClaim, Desired::Apply(claim)) => {
                self.release_volume(claim, &mut outcome).await? && self.write(claim, &mut outcome).await?
            }
            (_, Desired::Apply(object)) => self.write(object, &mut outcome).await?,
            (_, Desired::Delete(key)) => {
                self.delete(key, &mut outcome).await;
                true
            }
        };
        Ok((is_stored, outcome))
    }

    /// Returns whether the object is stored as desired. A foreign one is not written, and one that is being
    /// deleted, or belongs to an earlier stack, is created again when it is gone.
    async fn write(&self, object: &Object, outcome: &mut Outcome) -> Result<bool, Error> {
        let key = object.key();
        let found = self.observed.inventory.get(&key);
        if self.is_foreign(object) {
            return Ok(false);
        }
        let is_deleted = found.is_some_and(|found| found.deletion_timestamp.is_some());
        if is_deleted || self.observed.leftover.contains(&key) {
            outcome.applied.terminating.push(key);
            return Ok(false);
        }
        let desired = stamped(object)?;
        let is_current = found
            .is_some_and(|found| ownership::is_current(&desired, found, &self.context.caches.field_sets));
        let corrections = &self.context.corrections;
        let seen = Seen { stack: self.stack, key: &key, now: clock::timer() };
        if is_current && self.holds_data(object) {
            corrections.is_current(seen);
            return Ok(true);
        }
        let dispute = || {
            let found = found.map(|found| self.context.caches.field_sets.resolve(found));
            dispute(&key, &desired, found.as_ref())
        };
        if !corrections.is_due(seen, ownership::stamp_of(&desired), dispute) {
            return Ok(true);
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let desired = expecting(desired, found);
        let api = self.context.api(self.stack, key.kind);
        match api.patch(&key.name, &parameters, &Patch::Apply(&desired)).await {
            Ok(written) => {
                if found.is_some() {
                    corrections.written(seen, &written.metadata);
                }
                self.record(key, written.metadata);
            }
            Err(error) => {
                if found.is_none() && is_conflict(&error) {
                    self.context.unlisted.insert(self.stack, key.clone());
                }
                outcome.record_failure(key, error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a Secret has the desired data, which its stamp does not show.
    fn holds_data(&self, object: &Object) -> bool {
        let Object::Secret(desired) = object else { return true };
        let Observed { superuser, app, next, .. } = self.observed;
        let mut secrets = [superuser, app, next].into_iter().flatten();
        let found = secrets.find(|found| found.metadata.name == desired.metadata.name);
        let data = found.and_then(|found| found.data.as_ref());
        let mut entries = desired.data.iter().flatten();
        entries.all(|(key, value)| data.is_some_and(|data| data.get(key) == Some(value)))
    }

    /// Whether the object is foreign, or the claim that a volume is reserved for, which would be bound to it.
    fn is_foreign(&self, object: &Object) -> bool {
        let claim = match object {
            Object::PersistentVolume(volume) => volume.spec.as_ref().and_then(|it| it.claim_ref.as_ref()),
            _ => None,
        };
        let claim = claim.and_then(|claim| claim.name.clone()).map(Key::new::<PersistentVolumeClaim>);
        claim.into_iter().chain([object.key()]).any(|key| self.observed.foreign.contains(&key))
    }

    async fn delete(&self, key: &Key, outcome: &mut Outcome) {
        let found = self.observed.inventory.get(key);
        let Some(found) = found.filter(|found| found.deletion_timestamp.is_none()) else { return };
        // By uid: an object of the same name that was created in the meantime is not the operator's.
        let preconditions = Preconditions { uid: found.uid.clone(), resource_version: None };
        // A Job is gone when its pods are, so that the next one does not run beside them.
        let policy =
            if key.kind == Kind::Job { DeleteParams::foreground() } else { DeleteParams::background() };
        let parameters = policy.preconditions(preconditions);
        match self.context.api(self.stack, key.kind).delete(&key.name, &parameters).await {
            Ok(_) => {
                tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Deleted object");
                self.context.metrics.write(key.kind, "delete");
                self.context.recent_writes.deleted(self.stack, key);
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => outcome.record_failure(key.clone(), error),
        }
    }

    /// Removes the reference to a deleted claim from a PersistentVolume, so that the new claim of the same
    /// name can be bound to it. Not if the new claim would be rejected, as in a namespace that is being
    /// deleted: the volume stays Released then, and returns false.
    async fn release_volume(&self, claim: &Object, outcome: &mut Outcome) -> Result<bool, Error> {
        let Some(volume) = self.released else { return Ok(true) };
        let claim_key = claim.key();
        let desired = expecting(stamped(claim)?, self.observed.inventory.get(&claim_key));
        let trial = PatchParams::apply(FIELD_MANAGER).force().dry_run();
        let claims = self.context.api(self.stack, claim_key.kind);
        if let Err(error) = claims.patch(&claim_key.name, &trial, &Patch::Apply(&desired)).await {
            outcome.record_failure(claim_key, error);
            return Ok(false);
        }
        let key = Key::from_object(volume);
        let api: Api<PersistentVolume> = Api::all(self.context.client.clone());
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": volume.metadata.resource_version},
            "spec": {"claimRef": {"uid": null, "resourceVersion": null}},
        });
        match api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(written) => self.record(key, written.metadata),
            Err(error) => outcome.record_failure(key, error),
        }
        Ok(true)
    }

    fn record(&self, key: Key, metadata: ObjectMeta) {
        tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Applied object");
        self.context.metrics.write(key.kind, "apply");
        self.context.recent_writes.applied(self.stack, key, metadata, clock::instant());
    }
}

impl Outcome {
    /// A failure concerns this object and what needs it: the others are written, and the status reports it.
    fn record_failure(&mut self, key: Key, error: kube::Error) {
        match &error {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 413 | 422) => {
                self.applied.rejected.push((key, status.message.clone()));
                return;
            }
            kube::Error::Api(status) if status.is_conflict() || status.is_not_found() => {
                self.applied.conflict = true;
                return;
            }
            // Too many requests: nothing is wrong with the object.
            kube::Error::Api(status) if status.code == 429 => {}
            kube::Error::Api(status) => self.applied.failed.push((key.clone(), status.message.clone())),
            _ => {
                self.is_silent = true;
                self.applied.failed.push((key.clone(), "the API server did not answer".to_owned()));
            }
        }
        self.error.get_or_insert(Error::Write(key, error));
    }
}
