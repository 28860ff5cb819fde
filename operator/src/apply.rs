//! Step 4: the only writer of managed objects. Server-side apply with one field manager, and no write where
//! nothing differs. What objects hold is decided by `build`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, Preconditions},
};
use todostack_crds::FIELD_MANAGER;
use todostack_stack::{
    applied::Applied,
    build::Desired,
    managed::{Key, Kind, ManagedResource, Object},
    observed::Observed,
    resources::{migration_job, postgres_volume},
    stack_ref::StackRef,
};

use crate::{clock, context::Context};

pub(crate) mod cleanup;
mod ownership;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An object cannot be written as JSON.
    #[error("failed to serialize {0}")]
    Serialize(Key, #[source] serde_json::Error),
    /// The API server did not answer, or answered with an error of its own.
    #[error("failed to apply {0}")]
    Write(Key, #[source] kube::Error),
}

/// Writes what differs, in the given order.
pub(crate) async fn apply(
    context: &Context,
    stack: &StackRef,
    observed: &Observed,
    desired: Vec<(ManagedResource, Desired)>,
) -> Result<Applied, Error> {
    let mut writer = Writer { context, stack, observed, applied: Applied::default() };
    for (resource, desired) in desired {
        match (resource, desired) {
            (_, Desired::Keep) => {}
            (ManagedResource::MigrationJob, Desired::Apply(job)) => writer.migration(&job).await?,
            (ManagedResource::PostgresVolume, Desired::Apply(volume)) => {
                writer.release_volume().await?;
                writer.write(&volume).await?;
            }
            (_, Desired::Apply(object)) => writer.write(&object).await?,
            (_, Desired::Delete(key)) => writer.delete(key).await?,
        }
    }
    Ok(writer.applied)
}

struct Writer<'a> {
    context: &'a Context,
    stack: &'a StackRef,
    observed: &'a Observed,
    applied: Applied,
}

impl Writer<'_> {
    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        let (client, resource) = (self.context.client.clone(), kind.api_resource());
        if kind.is_namespaced() {
            Api::namespaced_with(client, &self.stack.namespace, &resource)
        } else {
            Api::all_with(client, &resource)
        }
    }

    async fn write(&mut self, object: &Object) -> Result<(), Error> {
        let key = object.key();
        if self.observed.foreign.contains(&key) {
            return Ok(());
        }
        let value = serde_json::to_value(object).map_err(|source| Error::Serialize(key.clone(), source))?;
        let desired = ownership::stamp(value);
        if self.observed.inventory.get(&key).is_some_and(|found| ownership::is_current(&desired, found)) {
            return Ok(());
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        match self.api(key.kind).patch(&key.name, &parameters, &Patch::Apply(&desired)).await {
            Ok(written) => self.record(key, written.metadata),
            Err(error) => self.reject(key, error)?,
        }
        Ok(())
    }

    async fn delete(&mut self, key: Key) -> Result<(), Error> {
        let found = self.observed.inventory.get(&key);
        let Some(found) = found.filter(|found| found.deletion_timestamp.is_none()) else { return Ok(()) };
        // By uid: an object of the same name that was created in the meantime is not the operator's.
        let preconditions = Preconditions { uid: found.uid.clone(), resource_version: None };
        let parameters = DeleteParams::background().preconditions(preconditions);
        match self.api(key.kind).delete(&key.name, &parameters).await {
            Ok(_) => {
                tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Deleted object");
                self.context.metrics.write(key.kind, "delete");
                self.context.recent_writes.deleted(self.stack, &key);
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => self.reject(key, error),
        }
    }

    /// A Job's template cannot change: the desired Job is created once, and the Jobs of earlier images are
    /// deleted when it is complete.
    async fn migration(&mut self, job: &Object) -> Result<(), Error> {
        let key = job.key();
        if !self.observed.inventory.contains(&key) {
            return self.write(job).await;
        }
        if self.is_outdated(job, &key)? {
            return self.delete(key).await;
        }
        let mut jobs = self.observed.jobs.iter();
        if jobs.any(|job| job.name_any() == key.name && migration_job::complete(job)) {
            let jobs = self.observed.inventory.of_kind(Kind::Job);
            let earlier: Vec<_> = jobs.filter(|it| **it != key).cloned().collect();
            for key in earlier {
                self.delete(key).await?;
            }
        }
        Ok(())
    }

    /// Whether the Job has another template than the desired one, and its pods have not started, such as pods
    /// that are unschedulable: the Job must be created again for a corrected spec to reach them.
    fn is_outdated(&self, job: &Object, key: &Key) -> Result<bool, Error> {
        let Some(found) = self.observed.inventory.get(key) else { return Ok(false) };
        let mut jobs = self.observed.jobs.iter();
        let waits = jobs
            .any(|job| job.name_any() == key.name && migration_job::waits_to_start(job, &self.observed.pods));
        let value = serde_json::to_value(job).map_err(|source| Error::Serialize(key.clone(), source))?;
        Ok(waits && !ownership::has_same_stamp(&ownership::stamp(value), found))
    }

    /// Removes the reference to a deleted claim from a PersistentVolume, so that the new claim of the same
    /// name can be bound to it.
    async fn release_volume(&mut self) -> Result<(), Error> {
        let volume = self.observed.volume.as_deref().filter(|volume| postgres_volume::is_released(volume));
        let Some(volume) = volume else { return Ok(()) };
        let key = Key::from_object(volume);
        let api: Api<PersistentVolume> = Api::all(self.context.client.clone());
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": volume.metadata.resource_version},
            "spec": {"claimRef": {"uid": null, "resourceVersion": null}},
        });
        match api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(written) => self.record(key, written.metadata),
            Err(error) => self.reject(key, error)?,
        }
        Ok(())
    }

    fn record(&mut self, key: Key, metadata: ObjectMeta) {
        tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Applied object");
        self.context.metrics.write(key.kind, "apply");
        self.context.recent_writes.applied(self.stack, key, metadata, clock::instant());
    }

    /// A rejection concerns this object alone: the others are written, and the status reports it. Any other
    /// error ends the reconcile.
    fn reject(&mut self, key: Key, error: kube::Error) -> Result<(), Error> {
        match error {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 409 | 413 | 422) => {
                self.applied.rejected.push((key, status.message));
                Ok(())
            }
            error => Err(Error::Write(key, error)),
        }
    }
}
