//! Step 4: the only writer of children. Server-side apply, one field manager, and no write at all where nothing
//! differs.

use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, Preconditions},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use todostack_crds::FIELD_MANAGER;

use crate::{
    build::{Resources, Wish},
    children::{Child, Key, Kind},
    context::Context,
    observe::Observed,
    resources::{migration_job, postgres_volume},
    stack::Stack,
};

mod ownership;

/// What applying came to.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Children that were written.
    pub written: Vec<Key>,
    /// Children that the API server refuses, with its words.
    pub refused: Vec<(Key, String)>,
}

/// Why applying stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object cannot be written as JSON.
    #[error("failed to serialize {0}")]
    Serialize(Key, #[source] serde_json::Error),
    /// The API server did not answer, or with an error of its own.
    #[error("failed to apply {0}")]
    Write(Key, #[source] kube::Error),
}

/// Writes what differs, in the order in which the cluster needs it.
pub async fn apply(
    context: &Context,
    stack: &Stack,
    observed: &Observed,
    resources: Resources,
) -> Result<Applied, Error> {
    let mut writer = Writer { context, stack, observed, applied: Applied::default() };
    // Without `..`: a new child that nobody writes must not compile.
    let Resources {
        service_account,
        superuser_secret,
        app_secret,
        volume,
        claim,
        database_service,
        stateful_set,
        migration,
        api_service,
        deployment,
        ingress,
    } = resources;
    // What pods need comes before them: a pod that finds its Secret, account and claim starts without a retry.
    writer.namespaced(service_account).await?;
    writer.namespaced(superuser_secret).await?;
    writer.namespaced(app_secret).await?;
    writer.release_volume().await?;
    writer.in_cluster(volume).await?;
    writer.namespaced(claim).await?;
    writer.namespaced(database_service).await?;
    writer.namespaced(stateful_set).await?;
    writer.migration(migration).await?;
    writer.namespaced(api_service).await?;
    writer.namespaced(deployment).await?;
    writer.namespaced(ingress).await?;
    Ok(writer.applied)
}

struct Writer<'a> {
    context: &'a Context,
    stack: &'a Stack,
    observed: &'a Observed,
    applied: Applied,
}

impl Writer<'_> {
    async fn namespaced<K>(&mut self, wish: Wish<K>) -> Result<(), Error>
    where
        K: Child
            + Resource<Scope = NamespaceResourceScope>
            + Clone
            + Serialize
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let api = Api::namespaced(self.context.client.clone(), &self.stack.namespace);
        self.child(&api, wish).await
    }

    async fn in_cluster<K>(&mut self, wish: Wish<K>) -> Result<(), Error>
    where
        K: Child + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
    {
        let api = Api::all(self.context.client.clone());
        self.child(&api, wish).await
    }

    async fn child<K>(&mut self, api: &Api<K>, wish: Wish<K>) -> Result<(), Error>
    where
        K: Child + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
    {
        match wish {
            Wish::Leave => Ok(()),
            Wish::Apply(object) => self.write(api, &object).await,
            Wish::Remove(name) => self.remove(api, Key::of::<K>(name)).await,
        }
    }

    async fn write<K>(&mut self, api: &Api<K>, object: &K) -> Result<(), Error>
    where
        K: Child + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
    {
        let key = Key::of::<K>(object.name_any());
        if self.observed.foreign.contains(&key) {
            return Ok(());
        }
        let value = serde_json::to_value(object).map_err(|source| Error::Serialize(key.clone(), source))?;
        let desired = ownership::stamp(value);
        if self.observed.children.get(&key).is_some_and(|found| ownership::is_current(&desired, found)) {
            return Ok(());
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        match api.patch(&key.name, &parameters, &Patch::Apply(&desired)).await {
            Ok(written) => self.note(key, written.meta().clone()),
            Err(error) => self.refused(key, error)?,
        }
        Ok(())
    }

    async fn remove<K>(&mut self, api: &Api<K>, key: Key) -> Result<(), Error>
    where
        K: Child + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let Some(found) = self.observed.children.get(&key).filter(|found| found.deletion_timestamp.is_none())
        else {
            return Ok(());
        };
        // Of this very object: one of the same name that somebody made in between is not ours.
        let of_this = Preconditions { uid: found.uid.clone(), resource_version: None };
        match api.delete(&key.name, &DeleteParams::background().preconditions(of_this)).await {
            Ok(_) => {
                tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Deleted object");
                self.context.metrics.write(key.kind, "delete");
                self.context.memory.deleted(self.stack_key(), &key);
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => self.refused(key, error),
        }
    }

    /// A Job cannot change: the wanted one is made once, and those of earlier images go when it is done.
    async fn migration(&mut self, wish: Wish<k8s_openapi::api::batch::v1::Job>) -> Result<(), Error> {
        let Wish::Apply(job) = wish else { return Ok(()) };
        let wanted = Key::of::<k8s_openapi::api::batch::v1::Job>(job.name_any());
        if !self.observed.children.contains(&wanted) {
            return self.namespaced(Wish::Apply(job)).await;
        }
        let done = self
            .observed
            .jobs
            .iter()
            .any(|job| job.name_any() == wanted.name && migration_job::complete(job));
        if done {
            let earlier: Vec<_> =
                self.observed.children.of_kind(Kind::Job).filter(|key| **key != wanted).cloned().collect();
            for key in earlier {
                self.namespaced(Wish::<k8s_openapi::api::batch::v1::Job>::Remove(key.name)).await?;
            }
        }
        Ok(())
    }

    /// Frees a volume of ours from the claim that is gone, so that the claim of the same name can have it again.
    async fn release_volume(&mut self) -> Result<(), Error> {
        let Some(volume) =
            self.observed.volume.as_deref().filter(|volume| postgres_volume::is_released(volume))
        else {
            return Ok(());
        };
        let key = Key::of::<k8s_openapi::api::core::v1::PersistentVolume>(volume.name_any());
        let api: Api<k8s_openapi::api::core::v1::PersistentVolume> = Api::all(self.context.client.clone());
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": volume.metadata.resource_version},
            "spec": {"claimRef": {"uid": null, "resourceVersion": null}},
        });
        match api.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(written) => self.note(key, written.metadata),
            Err(error) => self.refused(key, error)?,
        }
        Ok(())
    }

    fn note(&mut self, key: Key, metadata: ObjectMeta) {
        tracing::info!(object.kind = ?key.kind, object.name = %key.name, "Applied object");
        self.context.metrics.write(key.kind, "apply");
        self.context.memory.wrote(self.stack_key(), key.clone(), metadata, self.context.instant());
        self.applied.written.push(key);
    }

    /// A refusal is about this object: the others go on, and the status says it. All else ends the pass.
    fn refused(&mut self, key: Key, error: kube::Error) -> Result<(), Error> {
        match error {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 409 | 413 | 422) => {
                self.applied.refused.push((key, status.message));
                Ok(())
            }
            error => Err(Error::Write(key, error)),
        }
    }

    fn stack_key(&self) -> (&str, &str) {
        (&self.stack.namespace, &self.stack.name)
    }
}
