//! What is read for one stack by name: objects that its spec references, expected objects without the labels
//! that LIST selects by, and the Events of objects that do not become ready.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Event, PersistentVolume},
    },
};
use kube::{
    Api, Client, Resource,
    api::{DynamicObject, ListParams, ObjectMeta},
};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_stack::{
    autoscaling,
    managed::{Key, Kind},
    observed::{Lookup, Observed, Referenced, subjects},
    requirements::{References, Requirements},
    stack_ref::StackRef,
};

use super::list;
use crate::{error::Error, forbidden::Forbidden};

/// Events of one object that are read at most. The API server folds repetitions into one Event.
const EVENTS: u32 = 50;

pub(crate) struct Reader<'a> {
    pub(crate) client: &'a Client,
    pub(crate) stack: &'a StackRef,
    pub(crate) forbidden: Vec<Forbidden>,
}

impl Reader<'_> {
    /// The objects that the spec references. A forbidden one counts as not referenced.
    pub(crate) async fn referenced(&mut self, references: References<'_>) -> Result<Referenced, Error> {
        // Classes are not looked up here: all of them are listed.
        let References {
            credentials,
            external,
            tls,
            init_scripts,
            jwks_ca,
            storage_class: _,
            ingress_class: _,
        } = references;
        let secrets = Forbidden::Managed(Kind::Secret);
        Ok(Referenced {
            credentials: self.look_up(credentials, secrets).await?,
            external: self.look_up(external, secrets).await?,
            tls: self.look_up(tls, secrets).await?.without_private_key(),
            init_scripts: self.look_up(init_scripts, Forbidden::ConfigMaps).await?,
            jwks_ca: self.look_up(jwks_ca, Forbidden::ConfigMaps).await?,
        })
    }

    /// Adds to `observed` what exists of the expected objects that no LIST returned.
    pub(crate) async fn add_missing(
        &self,
        requirements: &Requirements<'_>,
        observed: &mut Observed,
    ) -> Result<(), Error> {
        // Permission to get an object without permission to list its kind is rare, and the request would fail
        // for each stack.
        let missing = observed.missing(self.stack, &requirements.scaled(observed));
        let is_allowed = |key: &Key| !self.forbidden.contains(&Forbidden::Managed(key.kind));
        for key in missing.into_iter().filter(is_allowed) {
            if let Some(metadata) = self.metadata(&key).await? {
                observed.add_unlisted(self.stack, key, metadata);
            }
        }
        Ok(())
    }

    /// The PersistentVolume of the data. None if the user may not get it.
    pub(crate) async fn data_volume(
        &self,
        todostack: &TodoStack,
        observed: &Observed,
    ) -> Result<Option<Arc<PersistentVolume>>, Error> {
        let Some(name) = observed.data_volume_name(todostack) else { return Ok(None) };
        match Api::<PersistentVolume>::all(self.client.clone()).get_opt(name).await {
            Ok(volume) => Ok(volume.map(Arc::new)),
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(None),
            Err(source) => Err(self.failed("PersistentVolume", name, source)),
        }
    }

    /// Whether the replicas of the API are those of a HorizontalPodAutoscaler. The operator corrects at once
    /// what is none, so one is assumed where the user may not list them.
    pub(crate) async fn is_autoscaled(
        &self,
        requirements: &Requirements<'_>,
        observed: &Observed,
    ) -> Result<bool, Error> {
        let found = observed.inventory.get(&autoscaling::target(self.stack));
        if !found.is_some_and(|found| autoscaling::may_be_autoscaled(requirements, found)) {
            return Ok(false);
        }
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), &self.stack.namespace);
        let found = list(&api, &ListParams::default(), &self.place()).await?;
        Ok(found.is_none_or(|found| autoscaling::is_autoscaled(self.stack, &found)))
    }

    /// The Events of objects that do not become ready.
    pub(crate) async fn events(&mut self, observed: &Observed) -> Result<Vec<Event>, Error> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.stack.namespace);
        let mut events = Vec::new();
        for subject in subjects::subjects(observed) {
            let parameters =
                ListParams::default().fields(&format!("type=Warning,involvedObject.uid={}", subject.uid));
            let Some(found) = list(&api, &parameters.limit(EVENTS), &self.place()).await? else {
                // The Events of the other objects are forbidden too.
                self.forbidden.push(Forbidden::Events);
                break;
            };
            events.extend(found);
        }
        Ok(events)
    }

    async fn look_up<K>(&mut self, name: Option<&str>, forbidden: Forbidden) -> Result<Lookup<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let Some(name) = name else { return Ok(Lookup::NotNamed) };
        match Api::<K>::namespaced(self.client.clone(), &self.stack.namespace).get_opt(name).await {
            Ok(Some(object)) => Ok(Lookup::Found(Box::new(object))),
            Ok(None) => Ok(Lookup::Missing(name.to_owned())),
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => {
                if !self.forbidden.contains(&forbidden) {
                    self.forbidden.push(forbidden);
                }
                Ok(Lookup::NotNamed)
            }
            Err(source) => Err(self.failed(&K::kind(&()), name, source)),
        }
    }

    async fn metadata(&self, key: &Key) -> Result<Option<ObjectMeta>, Error> {
        let resource = key.kind.api_resource();
        let api: Api<DynamicObject> = if key.kind.is_namespaced() {
            Api::namespaced_with(self.client.clone(), &self.stack.namespace, &resource)
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
        Error::read(format!("{kind} {name}"), self.place(), source)
    }

    fn place(&self) -> String {
        format!("in namespace {}", self.stack.namespace)
    }
}
