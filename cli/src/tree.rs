//! The objects of a stack under the part that each belongs to. What is said of one object lives in `tree/object.rs`,
//! of a pod in `tree/pod.rs`.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use todostack_crds::TodoStack;
use todostack_operator::{
    children::{self, Key, Kind},
    finding::Part,
    labels::{self, Component},
    names,
    observe::Observed,
};

use crate::{
    gaps::Gap,
    report::{Mark, Node},
};

mod object;
pub(crate) mod pod;

/// What a tree is made of.
#[derive(Clone, Copy)]
pub(crate) struct Forest<'a> {
    pub(crate) stack: &'a TodoStack,
    pub(crate) seen: &'a Observed,
    pub(crate) gaps: &'a [Gap],
}

/// The objects of one part.
pub(crate) fn objects(forest: Forest<'_>, part: Part) -> Vec<Node> {
    let mut keys = children::expected(forest.stack);
    keys.extend(forest.seen.children.of_kind(Kind::Job).cloned());
    keys.sort();
    let name = forest.stack.name_any();
    keys.iter().filter(|key| self::part(key, &name) == part).map(|key| node(forest, key)).collect()
}

/// The part that an object belongs to.
fn part(key: &Key, stack: &str) -> Part {
    match key.kind {
        Kind::Secret => Part::Credentials,
        Kind::PersistentVolumeClaim | Kind::PersistentVolume => Part::Storage,
        Kind::StatefulSet => Part::Database,
        Kind::Service if key.name == names::database(stack) => Part::Database,
        Kind::Job => Part::Migrations,
        Kind::Deployment | Kind::ServiceAccount => Part::Api,
        Kind::Service | Kind::Ingress => Part::Exposure,
    }
}

fn node(forest: Forest<'_>, key: &Key) -> Node {
    let bare = |mark, state: &str| Node {
        object: key.to_string(),
        mark,
        state: state.to_owned(),
        details: String::new(),
        objects: Vec::new(),
    };
    if forest.gaps.contains(&gap(key.kind)) {
        return bare(Mark::Unknown, "not allowed to read it");
    }
    if forest.seen.foreign.contains(key) {
        return bare(Mark::Bad, "belongs to someone else");
    }
    let Some(metadata) = forest.seen.children.get(key) else {
        return bare(Mark::Waiting, "not there");
    };
    if metadata.deletion_timestamp.is_some() {
        return bare(Mark::Waiting, "is being deleted");
    }
    let object::State { mark, words, details } = object::state(forest.seen, key);
    let objects = pods(forest.seen, key);
    Node { object: key.to_string(), mark, state: words, details, objects }
}

fn gap(kind: Kind) -> Gap {
    match kind {
        Kind::Secret => Gap::Secrets,
        Kind::ServiceAccount => Gap::ServiceAccounts,
        Kind::Service => Gap::Services,
        Kind::PersistentVolumeClaim => Gap::Claims,
        Kind::PersistentVolume => Gap::Volumes,
        Kind::StatefulSet => Gap::StatefulSets,
        Kind::Job => Gap::Jobs,
        Kind::Deployment => Gap::Deployments,
        Kind::Ingress => Gap::Ingresses,
    }
}

/// The pods that an object has made.
fn pods(seen: &Observed, key: &Key) -> Vec<Node> {
    let of = |pod: &Pod| match key.kind {
        Kind::StatefulSet => is(pod, Component::Database),
        Kind::Deployment => is(pod, Component::Api),
        Kind::Job => pod.labels().get("job-name") == Some(&key.name),
        Kind::Secret
        | Kind::ServiceAccount
        | Kind::Service
        | Kind::PersistentVolumeClaim
        | Kind::PersistentVolume
        | Kind::Ingress => false,
    };
    seen.pods.iter().filter(|pod| of(pod)).map(|pod| pod::node(pod)).collect()
}

fn is(pod: &Pod, component: Component) -> bool {
    pod.labels().get(labels::COMPONENT).is_some_and(|it| it == component.as_str())
}
