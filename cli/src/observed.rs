//! What was seen of one stack, from the lists: the same shape that the operator fills from its watches. Pure.

use std::sync::Arc;

use k8s_openapi::{
    ByteString,
    api::{
        core::v1::{ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
};
use kube::{Resource, ResourceExt as _, api::ObjectMeta};
use todostack_crds::TodoStack;
use todostack_operator::{
    children::{Child, Children, Key},
    diagnose::{DEFAULT_INGRESS_CLASS, DEFAULT_STORAGE_CLASS},
    labels, names,
    observe::{Lookup, Observed, rivals},
    references,
    watch::is_ours,
};

use crate::{
    gaps::Gap,
    read::{Lists, single::Named},
};

/// Value of keys that may not be read; no login is ever tried with it.
const UNREAD: &str = "unread";

/// The children that their labels lead to.
pub(crate) fn labelled(stack: &TodoStack, lists: &Lists) -> Children {
    let mut children = Children::default();
    take(&mut children, stack, &lists.secrets);
    take(&mut children, stack, &lists.services);
    take(&mut children, stack, &lists.service_accounts);
    take(&mut children, stack, &lists.claims);
    take(&mut children, stack, &lists.volumes);
    take(&mut children, stack, &lists.stateful_sets);
    take(&mut children, stack, &lists.deployments);
    take(&mut children, stack, &lists.jobs);
    take(&mut children, stack, &lists.ingresses);
    children
}

fn take<K: Child>(children: &mut Children, stack: &TodoStack, objects: &[Arc<K>]) {
    for object in objects.iter().filter(|object| belongs(stack, object.as_ref())) {
        children.insert(Key::of::<K>(object.name_any()), object.meta().clone());
    }
}

/// Whether an object's labels name the stack.
fn belongs<K: Resource>(stack: &TodoStack, object: &K) -> bool {
    let namespace = stack.metadata.namespace.as_ref();
    let place = object.labels().get(labels::NAMESPACE).or(object.meta().namespace.as_ref());
    object.labels().get(labels::STACK) == stack.metadata.name.as_ref() && place == namespace
}

/// What was seen; Events are added once it is known of what they are needed.
pub(crate) fn observed(stack: &TodoStack, lists: &Lists, named: Named) -> Observed {
    let name = stack.name_any();
    let namespace = stack.namespace().unwrap_or_default();
    let Named { referenced, unlabelled, gaps: _ } = named;
    let mut children = labelled(stack, lists);
    let (ours, others): (Vec<_>, Vec<_>) =
        unlabelled.into_iter().partition(|(_, metadata)| is_ours(metadata));
    for (key, metadata) in ours {
        children.insert(key, metadata);
    }
    let claim = |name: &str| one::<PersistentVolumeClaim>(stack, &lists.claims, name);
    Observed {
        superuser: one(stack, &lists.secrets, &names::superuser_secret(&name)),
        app: one(stack, &lists.secrets, &names::app_secret(&name)),
        claim: claim(&names::database(&name)).or_else(|| claim(&names::sqlite_claim(&name))),
        volume: one::<PersistentVolume>(stack, &lists.volumes, &names::volume(&namespace, &name)),
        stateful_set: one(stack, &lists.stateful_sets, &names::database(&name)),
        deployment: one(stack, &lists.deployments, &names::api(&name)),
        jobs: all(stack, &lists.jobs),
        api_service: one(stack, &lists.services, &names::api(&name)),
        ingress: one(stack, &lists.ingresses, &names::ingress(&name)),
        pods: all(stack, &lists.pods),
        referenced,
        storage_classes: lists.storage_classes.clone(),
        ingress_classes: lists.ingress_classes.clone(),
        children,
        rival: rivals::export(lists.all_stacks.iter(), stack),
        host_rival: rivals::host(lists.all_stacks.iter(), stack),
        foreign: others.into_iter().map(|(key, _)| key).collect(),
        ..Observed::default()
    }
}

fn all<K: Resource>(stack: &TodoStack, objects: &[Arc<K>]) -> Vec<Arc<K>> {
    let mut found: Vec<_> =
        objects.iter().filter(|object| belongs(stack, object.as_ref())).map(Arc::clone).collect();
    found.sort_by_key(|object| object.name_any());
    found
}

fn one<K: Resource>(stack: &TodoStack, objects: &[Arc<K>], name: &str) -> Option<Arc<K>> {
    objects.iter().find(|object| belongs(stack, object.as_ref()) && object.name_any() == name).map(Arc::clone)
}

/// Puts something in the place of what may not be read, so that no finding claims that it is missing. What is said of
/// it is the operator's word then.
pub(crate) fn stand_in(stack: &TodoStack, gaps: &[Gap], seen: &mut Observed) {
    let references::References { credentials, external, tls, init_scripts } = references::of(&stack.spec);
    if gaps.contains(&Gap::Secrets) {
        let referenced = &mut seen.referenced;
        let places = [
            (credentials, &mut referenced.credentials),
            (external, &mut referenced.external),
            (tls, &mut referenced.tls),
        ];
        for (name, place) in places {
            if let (Some(name), Lookup::NotNamed) = (name, &*place) {
                *place = Lookup::Found(Box::new(unread_secret(name)));
            }
        }
    }
    if let (Some(name), Lookup::NotNamed) = (init_scripts, &seen.referenced.init_scripts) {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        seen.referenced.init_scripts =
            Lookup::Found(Box::new(ConfigMap { metadata, ..ConfigMap::default() }));
    }
    if gaps.contains(&Gap::StorageClasses) {
        seen.storage_classes = vec![Arc::new(StorageClass {
            metadata: class(storage_class(stack), DEFAULT_STORAGE_CLASS),
            ..StorageClass::default()
        })];
    }
    if gaps.contains(&Gap::IngressClasses) {
        let named = stack.spec.exposure.as_ref().and_then(|it| it.ingress.as_ref()?.class_name.clone());
        seen.ingress_classes = vec![Arc::new(IngressClass {
            metadata: class(named, DEFAULT_INGRESS_CLASS),
            ..IngressClass::default()
        })];
    }
}

fn storage_class(stack: &TodoStack) -> Option<String> {
    let database = stack.spec.database.as_ref()?;
    let postgres = database.postgres.as_ref().and_then(|it| it.storage.as_ref()?.storage_class_name.clone());
    postgres.or_else(|| database.sqlite.as_ref()?.storage.as_ref()?.storage_class_name.clone())
}

fn class(name: Option<String>, default: &str) -> ObjectMeta {
    let annotations = [(default.to_owned(), "true".to_owned())].into();
    let name = name.unwrap_or_else(|| UNREAD.to_owned());
    ObjectMeta { name: Some(name), annotations: Some(annotations), ..ObjectMeta::default() }
}

fn unread_secret(name: &str) -> Secret {
    let keys = ["username", "password", "host", "dbname", "tls.crt", "tls.key"];
    let value = || ByteString(UNREAD.as_bytes().to_vec());
    Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(keys.into_iter().map(|key| (key.to_owned(), value())).collect()),
        ..Secret::default()
    }
}
