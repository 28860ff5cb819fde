//! Step 4: the only writer of managed objects. Server-side apply with one field manager, and no write where
//! nothing differs. What objects hold is decided by `build`.

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

use crate::{clock, context::Context};

pub(crate) mod cleanup;
mod migration;
mod ownership;
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
}

/// Writes what differs, in the given order. A resource is written only if all that it needs is stored and the
/// operator's own: a pod must not mount a claim, or log in with a Secret, that someone else created.
pub(crate) async fn apply(context: &Context, stack: &Stack, observed: &Observed) -> Result<Outcome, Error> {
    let mut writer = Writer {
        context,
        stack: &stack.id,
        observed,
        released: reclaim::released(stack, observed),
        applied: Applied::default(),
        error: None,
        is_silent: false,
    };
    let mut blocked = Vec::new();
    for (resource, desired) in build(stack) {
        let is_blocked = writer.is_silent || resource.needs().iter().any(|needed| blocked.contains(needed));
        let stored = match (resource, desired) {
            (_, Desired::Apply(_)) if is_blocked => false,
            (_, Desired::Keep) => true,
            (ManagedResource::MigrationJob, Desired::Apply(job)) => writer.migration(&job).await?,
            (ManagedResource::PostgresClaim | ManagedResource::SqliteClaim, Desired::Apply(claim)) => {
                writer.release_volume().await;
                writer.write(&claim).await?
            }
            (_, Desired::Apply(object)) => writer.write(&object).await?,
            (_, Desired::Delete(_)) if writer.is_silent => false,
            (_, Desired::Delete(key)) => {
                writer.delete(key).await;
                true
            }
        };
        if !stored {
            blocked.push(resource);
        }
    }
    Ok(Outcome { applied: writer.applied, error: writer.error })
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
    applied: Applied,
    error: Option<Error>,
    /// Whether a request had no answer: the others would have none either, and each waits for its timeout.
    is_silent: bool,
}

impl Writer<'_> {
    /// Returns whether the object is stored as desired. A foreign one is not written, and one that is being
    /// deleted, or belongs to an earlier stack, is created again when it is gone.
    async fn write(&mut self, object: &Object) -> Result<bool, Error> {
        let key = object.key();
        let found = self.observed.inventory.get(&key);
        if self.is_foreign(object) {
            return Ok(false);
        }
        let is_deleted = found.is_some_and(|found| found.deletion_timestamp.is_some());
        if is_deleted || self.observed.leftover.contains(&key) {
            self.applied.terminating.push(key);
            return Ok(false);
        }
        let desired = stamped(object)?;
        let is_current = found.is_some_and(|found| ownership::is_current(&desired, found));
        if is_current && self.holds_data(object) {
            return Ok(true);
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        match self
            .context
            .api(self.stack, key.kind)
            .patch(&key.name, &parameters, &Patch::Apply(&desired))
            .await
        {
            Ok(written) => self.record(key, written.metadata),
            Err(error) => {
                self.record_failure(key, error);
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

    async fn delete(&mut self, key: Key) {
        let found = self.observed.inventory.get(&key);
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
                self.context.recent_writes.deleted(self.stack, &key);
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => self.record_failure(key, error),
        }
    }

    /// Removes the reference to a deleted claim from a PersistentVolume, so that the new claim of the same
    /// name can be bound to it.
    async fn release_volume(&mut self) {
        let Some(volume) = self.released else { return };
        let key = Key::from_object(volume);
        let api: Api<PersistentVolume> = Api::all(self.context.client.clone());
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": volume.metadata.resource_version},
            "spec": {"claimRef": {"uid": null, "resourceVersion": null}},
        });
        match api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(written) => self.record(key, written.metadata),
            Err(error) => self.record_failure(key, error),
        }
    }

    fn record(&mut self, key: Key, metadata: ObjectMeta) {
        tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Applied object");
        self.context.metrics.write(key.kind, "apply");
        self.context.recent_writes.applied(self.stack, key, metadata, clock::instant());
    }

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
