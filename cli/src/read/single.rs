//! What only one stack leads to: what its spec names, children that lost their labels, Events of what does not come up.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Event},
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{DynamicObject, ObjectMeta},
};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_operator::{
    children::{self, Children, Key},
    observe::{self, Lookup, Observed, Referenced, events},
    references,
};

use crate::{error::Error, gaps::Gap};

/// What only names lead to, of one stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// What the spec names; forbidden ones are gaps.
    pub(crate) referenced: Referenced,
    /// Children that no label led to.
    pub(crate) unlabelled: Vec<(Key, ObjectMeta)>,
    /// What may not be read.
    pub(crate) gaps: Vec<Gap>,
}

/// Reads what the spec names, and the children that no label led to.
pub(crate) async fn named(client: &Client, stack: &TodoStack, labelled: &Children) -> Result<Named, Error> {
    let namespace = stack.namespace().unwrap_or_default();
    let mut getter = Getter { client, namespace: &namespace, gaps: Vec::new() };
    let references::References { credentials, external, tls, init_scripts } = references::of(&stack.spec);
    let referenced = Referenced {
        credentials: getter.look_up(credentials, Gap::Secrets).await?,
        external: getter.look_up(external, Gap::Secrets).await?,
        tls: getter.look_up(tls, Gap::Secrets).await?,
        init_scripts: getter.look_up::<ConfigMap>(init_scripts, Gap::ConfigMaps).await?,
    };
    let mut unlabelled = Vec::new();
    for key in children::expected(stack).into_iter().filter(|key| !labelled.contains(key)) {
        if let Some(metadata) = getter.metadata(&key).await? {
            unlabelled.push((key, metadata));
        }
    }
    Ok(Named { referenced, unlabelled, gaps: getter.gaps })
}

struct Getter<'a> {
    client: &'a Client,
    namespace: &'a str,
    gaps: Vec<Gap>,
}

impl Getter<'_> {
    async fn look_up<K>(&mut self, name: Option<&str>, gap: Gap) -> Result<Lookup<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let Some(name) = name else { return Ok(Lookup::NotNamed) };
        match Api::<K>::namespaced(self.client.clone(), self.namespace).get_opt(name).await {
            Ok(Some(object)) => Ok(Lookup::Found(Box::new(object))),
            Ok(None) => Ok(Lookup::Missing(name.to_owned())),
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => {
                self.gaps.push(gap);
                Ok(Lookup::NotNamed)
            }
            Err(source) => Err(self.failed(&K::kind(&()), name, source)),
        }
    }

    /// A kind that is forbidden is a gap of the lists already.
    async fn metadata(&self, key: &Key) -> Result<Option<ObjectMeta>, Error> {
        let resource = key.resource();
        let api: Api<DynamicObject> = if key.is_namespaced() {
            Api::namespaced_with(self.client.clone(), self.namespace, &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        };
        match api.get_metadata_opt(&key.name).await {
            Ok(found) => Ok(found.map(|object| object.metadata)),
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(None),
            Err(source) => Err(self.failed(key.kind.into(), &key.name, source)),
        }
    }

    fn failed(&self, kind: &str, name: &str, source: kube::Error) -> Error {
        Error::read(format!("{kind} {name}"), format!("in namespace {}", self.namespace), source)
    }
}

/// The Events of what does not come up; none when the user may not read them.
pub(crate) async fn events(
    client: &Client,
    namespace: &str,
    seen: &Observed,
) -> Result<Option<Vec<Event>>, Error> {
    match events::of_what_does_not_come_up(client, namespace, seen).await {
        Ok(found) => Ok(Some(found)),
        Err(observe::Error::Read { source: kube::Error::Api(answer), .. }) if answer.is_forbidden() => {
            Ok(None)
        }
        Err(observe::Error::Read { kind, source, .. }) => {
            Err(Error::read(kind, format!("in namespace {namespace}"), source))
        }
    }
}
