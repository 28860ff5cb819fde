//! GETs expected objects that the watch caches lack, where a write depends on them: Secrets, so that no
//! password is generated twice, and claims, which a volume is reserved for. The others are created only if
//! they do not exist (`apply.rs`), and read once one is known to exist. A paused stack writes nothing, so all
//! are read.

use std::{collections::BTreeSet, sync::Arc};

use futures::future;
use kube::{Api, api::ObjectMeta};
use todostack_crds::TodoStack;
use todostack_stack::{
    managed::{Key, Kind, Secret},
    names,
    observed::{
        Observed,
        origin::{Origin, origin},
    },
    requirements::Requirements,
    stack_ref::StackRef,
};

use super::Error;
use crate::context::Context;

/// Adds to `observed` what exists of the expected objects that it lacks.
pub(super) async fn add(
    context: &Context,
    todostack: &TodoStack,
    stack: &StackRef,
    observed: &mut Observed,
) -> Result<(), Error> {
    let missing = missing(context, todostack, stack, observed);
    let found = future::join_all(missing.iter().map(|key| metadata(context, stack, key))).await;
    // Of several errors always the first, so that the status does not change from one to another.
    for (key, metadata) in missing.into_iter().zip(found) {
        match metadata? {
            Some(metadata) => observed.add_unlisted(stack, key, metadata),
            None => context.unlisted.remove(stack, &key),
        }
    }
    let secrets = [
        (names::superuser_secret(&stack.name), &mut observed.superuser),
        (names::app_secret(&stack.name), &mut observed.app),
        (names::next_secret(&stack.name), &mut observed.next),
    ];
    for (name, secret) in secrets {
        let Some(newest) = observed.inventory.get(&Key::new::<Secret>(name.clone())) else { continue };
        // An older one would be followed by another password or revision than the one that was written.
        let is_cached =
            secret.as_ref().is_some_and(|secret| secret.metadata.resource_version == newest.resource_version);
        if !is_cached {
            *secret = read_secret(context, stack, &name).await?.map(Arc::new);
        }
    }
    Ok(())
}

/// The objects to read.
fn missing(context: &Context, todostack: &TodoStack, stack: &StackRef, observed: &Observed) -> BTreeSet<Key> {
    let mut unlisted = context.unlisted.keys(stack);
    for key in unlisted.extract_if(.., |key| observed.inventory.contains(key)) {
        context.unlisted.remove(stack, &key);
    }
    let is_read =
        |key: &Key| todostack.spec.paused || matches!(key.kind, Kind::Secret | Kind::PersistentVolumeClaim);
    let mut missing = observed.missing(stack, &Requirements::from(&todostack.spec).scaled(observed));
    missing.retain(is_read);
    unlisted.extend(missing);
    unlisted
}

async fn metadata(context: &Context, stack: &StackRef, key: &Key) -> Result<Option<ObjectMeta>, Error> {
    let found = context.api(stack, key.kind).get_metadata_opt(&key.name).await;
    let found = found.map_err(|source| Error::Read {
        kind: <&str>::from(key.kind).to_owned(),
        namespace: stack.namespace.clone(),
        name: key.name.clone(),
        source,
    })?;
    Ok(found.map(|object| object.metadata))
}

async fn read_secret(context: &Context, stack: &StackRef, name: &str) -> Result<Option<Secret>, Error> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &stack.namespace);
    let secret = api.get_opt(name).await.map_err(|source| Error::Read {
        kind: "Secret".to_owned(),
        namespace: stack.namespace.clone(),
        name: name.to_owned(),
        source,
    })?;
    Ok(secret.filter(|secret| origin(stack, &secret.metadata) == Origin::Own))
}
