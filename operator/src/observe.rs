//! Step 1: the observed state of one stack. The only step that reads: from watch caches, and by GET and LIST
//! what no watch brings. Putting the state together is `Observed`'s.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_stack::{
    managed,
    observed::{Lookup, Observed, Referenced, conflicts::Neighbors},
    requirements::{References, Requirements},
    stack_ref::StackRef,
};

use crate::{clock, context::Context};

pub(crate) mod caches;
mod events;
pub(crate) mod feeds;
mod missing;
pub(crate) mod recent_writes;

/// Why a stack could not be observed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to read {kind} {namespace}/{name}")]
    Read { kind: String, namespace: String, name: String, source: kube::Error },
}

pub(crate) async fn observe(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    requirements: &Requirements<'_>,
) -> Result<Observed, Error> {
    let keys = managed::expected(id, requirements);
    let listing = context.caches.listing(id, &keys);
    let mut observed = Observed::new(id, requirements, &listing);
    observed.data_volume = data_volume(&context.client, todostack, &observed).await?;
    observed.lagging = context.recent_writes.refresh(id, &mut observed.inventory, clock::instant());
    let stacks = context.caches.stacks.state();
    let stacks: Vec<_> = stacks.iter().filter_map(|stack| stack.0.as_ref().ok()).collect();
    let (volumes, config) = (&listing.managed.volumes, &context.config);
    observed.add_conflicts(todostack, Neighbors { stacks: &stacks, volumes, config });
    observed.referenced = referenced(&context.client, id, requirements.references).await?;
    missing::add(context, id, requirements, &mut observed).await?;
    observed.events = events::of_unready(&context.client, id, &observed).await?;
    Ok(observed)
}

/// The volume of a StorageClass is not the operator's, so no cache has it.
async fn data_volume(
    client: &Client,
    todostack: &TodoStack,
    observed: &Observed,
) -> Result<Option<Arc<PersistentVolume>>, Error> {
    let Some(name) = observed.data_volume_name(todostack) else { return Ok(None) };
    if let Some(volume) = observed.volume.as_ref().filter(|it| it.metadata.name.as_deref() == Some(name)) {
        return Ok(Some(volume.clone()));
    }
    let volume = Api::<PersistentVolume>::all(client.clone()).get_opt(name).await;
    volume.map(|volume| volume.map(Arc::new)).map_err(|source| Error::Read {
        kind: "PersistentVolume".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
        source,
    })
}

async fn referenced(
    client: &Client,
    stack: &StackRef,
    references: References<'_>,
) -> Result<Referenced, Error> {
    // Classes are watched.
    let References { credentials, external, tls, init_scripts, storage_class: _, ingress_class: _ } =
        references;
    Ok(Referenced {
        credentials: look_up(client, stack, credentials).await?,
        external: look_up(client, stack, external).await?,
        tls: look_up(client, stack, tls).await?.without_private_key(),
        init_scripts: look_up(client, stack, init_scripts).await?,
    })
}

async fn look_up<K>(client: &Client, stack: &StackRef, name: Option<&str>) -> Result<Lookup<K>, Error>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let Some(name) = name else { return Ok(Lookup::NotNamed) };
    let api: Api<K> = Api::namespaced(client.clone(), &stack.namespace);
    match api.get_opt(name).await {
        Ok(Some(object)) => Ok(Lookup::Found(Box::new(object))),
        Ok(None) => Ok(Lookup::Missing(name.to_owned())),
        Err(source) => Err(Error::Read {
            kind: K::kind(&()).into_owned(),
            namespace: stack.namespace.clone(),
            name: name.to_owned(),
            source,
        }),
    }
}
