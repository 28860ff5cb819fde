//! The objects of each part of a stack, from the table of managed resources. The state of an object is
//! described in `tree/object.rs`, that of a pod in `tree/pod.rs`.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use strum::IntoEnumIterator as _;
use todostack_crds::TodoStack;
use todostack_stack::{
    labels,
    managed::{Key, Kind, ManagedResource},
    part::Part,
    requirements::Requirements,
    stack_ref::StackRef,
};

use crate::{
    forbidden::Forbidden,
    report::{Mark, Node},
    snapshot::Snapshot,
};

mod object;
pub(crate) mod pod;

/// The objects of one part, by kind and name.
pub(crate) fn objects(snapshot: &Snapshot, part: Part) -> Vec<Node> {
    let resources = ManagedResource::iter().filter(|resource| resource.part() == part);
    let mut objects: Vec<_> = resources
        .flat_map(|resource| keys(snapshot, resource).into_iter().map(move |key| (key, resource)))
        .collect();
    // Resources are in the order of apply, in which kinds alternate.
    objects.sort();
    objects.iter().map(|(key, resource)| node(snapshot, *resource, key)).collect()
}

/// The keys of a resource: the one that the spec asks for, or those of all Jobs, whose names do not follow
/// from the spec.
fn keys(snapshot: &Snapshot, resource: ManagedResource) -> Vec<Key> {
    if resource.kind() == Kind::Job {
        return snapshot.observed.inventory.of_kind(Kind::Job).cloned().collect();
    }
    let TodoStack { spec, .. } = &snapshot.stack;
    let Ok(id) = StackRef::try_from(&snapshot.stack) else { return Vec::new() };
    let name = resource.expected_name(&id, &Requirements::from(spec));
    name.into_iter().map(|name| Key { kind: resource.kind(), name }).collect()
}

fn node(snapshot: &Snapshot, resource: ManagedResource, key: &Key) -> Node {
    let observed = &snapshot.observed;
    let bare = |mark, state: &str| Node {
        object: key.to_string(),
        mark,
        state: state.to_owned(),
        details: String::new(),
        objects: Vec::new(),
    };
    // First: without permission to list, an object only seems to be missing.
    if snapshot.forbidden.contains(&Forbidden::Managed(key.kind)) {
        return bare(Mark::Unknown, "not allowed to read it");
    }
    if observed.foreign.contains(key) {
        return bare(Mark::Bad, "not managed by the operator");
    }
    if observed.leftover.contains(key) {
        return bare(Mark::Waiting, "being deleted");
    }
    let Some(metadata) = observed.inventory.get(key) else {
        return bare(Mark::Waiting, "does not exist");
    };
    if metadata.deletion_timestamp.is_some() {
        return bare(Mark::Waiting, "being deleted");
    }
    let object::State { mark, summary, details } = object::state(observed, key);
    let pods = observed.pods.iter().filter(|pod| controls(resource, key, pod));
    let objects = pods.map(|pod| pod::node(pod)).collect();
    Node { object: key.to_string(), mark, state: summary, details, objects }
}

/// Whether a pod was created for the object.
fn controls(resource: ManagedResource, key: &Key, pod: &Pod) -> bool {
    let label = |key: &str| pod.labels().get(key).map(String::as_str);
    match key.kind {
        // The Job controller sets the label; owner references of pods name ReplicaSets, not Deployments.
        Kind::Job => label("job-name") == Some(&key.name),
        Kind::StatefulSet | Kind::Deployment => {
            label(labels::COMPONENT) == Some(resource.component().as_str())
        }
        _ => false,
    }
}
