//! Children that no watch has brought: not there yet, just created, or somebody else's. Asked for by name, so that
//! nothing foreign is overwritten and no password is drawn twice. Costs one GET a child while a stack is new.

use std::sync::Arc;

use futures::future;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, ObjectMeta},
    core::ApiResource,
};
use todostack_crds::TodoStack;

use super::{Error, Observed};
use crate::{
    children::{self, Key},
    context::Context,
    names,
    watch::is_ours,
};

/// Asks for each child that should be there and has not been seen.
pub(super) async fn look(context: &Context, stack: &TodoStack, observed: &mut Observed) -> Result<(), Error> {
    let namespace = stack.namespace().unwrap_or_default();
    let name = stack.name_any();
    let wanted = children::expected(stack);
    let unseen: Vec<_> = wanted.into_iter().filter(|key| !observed.children.contains(key)).collect();
    let found = future::try_join_all(unseen.iter().map(|key| metadata(context, &namespace, key))).await?;
    for (key, metadata) in unseen.into_iter().zip(found) {
        match metadata {
            Some(metadata) if is_ours(&metadata) => observed.children.insert(key, metadata),
            Some(_) => observed.foreign.push(key),
            None => {}
        }
    }
    let secrets = [
        (names::superuser_secret(&name), &mut observed.superuser),
        (names::app_secret(&name), &mut observed.app),
    ];
    for (secret, place) in secrets {
        if place.is_none() && observed.children.contains(&Key::of::<Secret>(secret.clone())) {
            *place = read_secret(context, &namespace, &secret).await?.map(Arc::new);
        }
    }
    Ok(())
}

async fn metadata(context: &Context, namespace: &str, key: &Key) -> Result<Option<ObjectMeta>, Error> {
    let resource: ApiResource = key.resource();
    let api: Api<DynamicObject> = if key.is_namespaced() {
        Api::namespaced_with(context.client.clone(), namespace, &resource)
    } else {
        Api::all_with(context.client.clone(), &resource)
    };
    let found = api.get_metadata_opt(&key.name).await.map_err(|source| Error::Read {
        kind: <&str>::from(key.kind).to_owned(),
        namespace: namespace.to_owned(),
        name: key.name.clone(),
        source,
    })?;
    Ok(found.map(|object| object.metadata))
}

async fn read_secret(context: &Context, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let secret = api.get_opt(name).await.map_err(|source| Error::Read {
        kind: "Secret".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source,
    })?;
    Ok(secret.filter(|secret| is_ours(&secret.metadata) && secret.name_any() == name))
}
