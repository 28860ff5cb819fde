//! Who else has what only one stack can have: an NFS export (two servers on one directory destroy the data,
//! since `postmaster.pid` protects against a second server on the same host only), or a host name.

use std::{cmp::Ordering, sync::Arc};

use k8s_openapi::{api::core::v1::PersistentVolume, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::ResourceExt as _;
use todostack_crds::TodoStack;

use super::claim;
use crate::{config::Config, export::Export, labels, requirements::Requirements};

/// The stacks and the operator's PersistentVolumes of the whole cluster, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub struct Neighbors<'a> {
    pub stacks: &'a [&'a TodoStack],
    pub volumes: &'a [Arc<PersistentVolume>],
    /// What is allowed. What a stack may not have, it does not keep from others.
    pub config: &'a Config,
}

/// Who has an export.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportHolder {
    /// A stack, as `namespace/name`.
    Stack(String),
    /// The claim of a stack that was deleted, or that is not one of this operator's.
    Claim { namespace: String, name: String },
}

/// What clients reach the API by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address<'a> {
    Host(&'a str),
    /// Every host name, on the Ingress controller of this class.
    AnyHost(Option<&'a str>),
}

/// Who else has the export of `stack`: first the holder of a claim for it, since a server may run on that,
/// then the oldest stack.
pub fn export(neighbors: Neighbors<'_>, stack: &TodoStack) -> Option<ExportHolder> {
    let ours = export_of(stack)?;
    let shares = |other: &TodoStack| export_of(other).as_ref() == Some(&ours);
    let is_held = |volume: &PersistentVolume| {
        !claim::is_released(volume) && Export::from_volume(volume).as_ref() == Some(&ours)
    };
    let volumes = neighbors.volumes.iter().filter(|volume| is_held(volume));
    let Some(volume) = volumes.min_by(|one, two| compare_age(&one.metadata, &two.metadata)) else {
        let is_allowed = |other: &TodoStack| {
            let namespace = other.namespace().unwrap_or_default();
            export_of(other).is_none_or(|it| neighbors.config.allowed_exports.allows(&it, &namespace))
        };
        return first(neighbors.stacks, stack, is_allowed, shares).map(ExportHolder::Stack);
    };
    let (namespace, name) = labels::stack_of(&volume.metadata)?;
    let is_of = |it: &TodoStack| it.name_any() == name && it.metadata.namespace.as_deref() == Some(namespace);
    if is_of(stack) {
        return None;
    }
    if neighbors.stacks.iter().any(|other| is_of(other) && shares(other)) {
        return Some(ExportHolder::Stack(format!("{namespace}/{name}")));
    }
    let claim = volume.spec.as_ref()?.claim_ref.as_ref()?;
    Some(ExportHolder::Claim { namespace: claim.namespace.clone()?, name: claim.name.clone()? })
}

/// The older stack that has the host name of `stack`, as `namespace/name`; of two Ingresses without a host,
/// of the same class. `default_class` is that of an Ingress that names none.
pub fn host(neighbors: Neighbors<'_>, stack: &TodoStack, default_class: Option<&str>) -> Option<String> {
    let ours = address(stack, default_class)?;
    let is_allowed = |other: &TodoStack| {
        let namespace = other.namespace().unwrap_or_default();
        neighbors.config.allowed_hosts.allows(Requirements::from(&other.spec).host, &namespace)
    };
    first(neighbors.stacks, stack, is_allowed, |other| address(other, default_class) == Some(ours))
}

/// What only one stack can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contended {
    Export(Export),
    Host(String),
    /// Every host name. Classes of all Ingress controllers count as one: which one is the default is not
    /// known here.
    AnyHost,
}

/// What `stack` may want that others want too, so that a change of one concerns the others.
pub fn contended(stack: &TodoStack) -> impl Iterator<Item = Contended> {
    let host = address(stack, None).map(|address| match address {
        Address::Host(host) => Contended::Host(host.to_owned()),
        Address::AnyHost(_) => Contended::AnyHost,
    });
    export_of(stack).map(Contended::Export).into_iter().chain(host)
}

fn export_of(stack: &TodoStack) -> Option<Export> {
    Requirements::from(&stack.spec).export().map(Export::from)
}

fn address<'a>(stack: &'a TodoStack, default_class: Option<&'a str>) -> Option<Address<'a>> {
    let Requirements { host, ingress, references, .. } = Requirements::from(&stack.spec);
    match host {
        Some(host) => Some(Address::Host(host)),
        None => ingress.then(|| Address::AnyHost(references.ingress_class.or(default_class))),
    }
}

/// The oldest of the others that share something with `stack` and come before it: they are older, and may
/// have it. Of two of the same age, the first by name.
fn first(
    stacks: &[&TodoStack],
    stack: &TodoStack,
    is_allowed: impl Fn(&TodoStack) -> bool,
    shares: impl Fn(&TodoStack) -> bool,
) -> Option<String> {
    let is_mine_allowed = is_allowed(stack);
    let is_before = |other: &TodoStack| {
        let is_older = compare_age(&other.metadata, &stack.metadata) == Ordering::Less;
        is_allowed(other) && (is_older || !is_mine_allowed)
    };
    let others = stacks.iter().filter(|other| other.metadata.uid != stack.metadata.uid);
    others
        .filter(|other| shares(other) && is_before(other))
        .min_by(|one, two| compare_age(&one.metadata, &two.metadata))
        .map(|other| format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()))
}

fn compare_age(one: &ObjectMeta, two: &ObjectMeta) -> Ordering {
    let key = |it: &ObjectMeta| {
        (it.creation_timestamp.as_ref().map(|time| time.0), it.namespace.clone(), it.name.clone())
    };
    key(one).cmp(&key(two))
}

#[cfg(test)]
mod tests;
