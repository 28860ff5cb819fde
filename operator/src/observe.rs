//! Step 1: the observed state of one stack. The only step that reads: from watch caches, and by GET what no
//! watch brings. Putting the state together is `Observed`'s.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_stack::{
    observed::{Lookup, Observed, Referenced, conflicts::Neighbors},
    prune,
    requirements::{References, Requirements},
    stack_ref::StackRef,
};

use self::data_volumes::Known;
use crate::{clock, context::Context};

mod autoscalers;
pub(crate) mod caches;
pub(crate) mod data_volumes;
pub(crate) mod feeds;
pub(crate) mod field_sets;
pub(crate) mod index;
mod merged;
mod missing;
pub(crate) mod packed;
pub(crate) mod recent_writes;
pub(crate) mod scope;
pub(crate) mod unlisted;
pub(crate) mod warnings;

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
    let listing = context.caches.listing(todostack, id);
    let mut observed = Observed::new(id, requirements, &listing);
    observed.confined = !context.config.cluster_access;
    observed.data_volume = data_volume(context, todostack, id, &observed).await?;
    observed.lagging = context.recent_writes.refresh(id, &mut observed.inventory, clock::instant());
    let stacks = context.caches.interests.competitors(todostack, &context.caches.stacks);
    let stacks: Vec<_> = stacks.iter().filter_map(|stack| stack.0.as_ref().ok()).collect();
    let (volumes, config) = (&listing.managed.volumes, &context.config);
    observed.add_conflicts(todostack, Neighbors { stacks: &stacks, volumes, config });
    observed.autoscaled = autoscalers::read(context, id, requirements, &observed).await?;
    observed.referenced = referenced(&context.client, id, requirements.references).await?;
    missing::add(context, todostack, id, &mut observed).await?;
    observed.events = context.caches.warnings.of_unready(&observed);
    Ok(observed)
}

/// The volume of a StorageClass is not the operator's, so no cache has it.
async fn data_volume(
    context: &Context,
    todostack: &TodoStack,
    id: &StackRef,
    observed: &Observed,
) -> Result<Option<Arc<PersistentVolume>>, Error> {
    let name = observed.data_volume_name(todostack).filter(|_| !observed.confined);
    let Some(name) = name else { return Ok(None) };
    if let Some(volume) = observed.volume.as_ref().filter(|it| it.metadata.name.as_deref() == Some(name)) {
        return Ok(Some(volume.clone()));
    }
    let claim = observed.claim.as_deref();
    if let Some(Known(volume)) = claim.and_then(|claim| context.data_volumes.get(id, claim, clock::instant()))
    {
        return Ok(volume);
    }
    let found = Api::<PersistentVolume>::all(context.client.clone()).get_opt(name).await;
    let mut found = found.map_err(|source| Error::Read {
        kind: "PersistentVolume".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
        source,
    })?;
    if let Some(volume) = &mut found {
        prune::metadata(&mut volume.metadata);
    }
    let volume = found.map(Arc::new);
    if let Some(claim) = claim {
        context.data_volumes.insert(id, claim, volume.clone(), clock::instant());
    }
    Ok(volume)
}

async fn referenced(
    client: &Client,
    stack: &StackRef,
    references: References<'_>,
) -> Result<Referenced, Error> {
    // Classes are watched.
    let References { credentials, external, tls, init_scripts, jwks_ca, storage_class: _, ingress_class: _ } =
        references;
    Ok(Referenced {
        credentials: look_up(client, stack, credentials).await?,
        external: look_up(client, stack, external).await?,
        tls: look_up(client, stack, tls).await?.without_private_key(),
        init_scripts: look_up(client, stack, init_scripts).await?,
        jwks_ca: look_up(client, stack, jwks_ca).await?,
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
