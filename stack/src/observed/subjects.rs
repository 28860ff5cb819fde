//! The objects whose Events explain why a stack does not become ready. Listing the Events is the caller's.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::{Resource, ResourceExt as _};
use todostack_crds::{Class, ConditionType, Reason, TodoStack};

use super::Observed;
use crate::{
    labels::{COMPONENT, Component},
    managed::Kind,
    resources::migration_job,
};

pub struct Subject {
    pub kind: &'static str,
    pub name: String,
    /// Its uid, by which the API server selects its Events.
    pub uid: String,
}

/// Pods that are not ready, a claim that is not bound, and controllers that have no pod. None while all is
/// well.
pub fn subjects(observed: &Observed) -> Vec<Subject> {
    let pods = observed.pods.iter().filter(|pod| waits(pod)).map(|pod| subject("Pod", pod.as_ref()));
    let has_pod = |component: Component| {
        let label = |pod: &Pod| pod.labels().get(COMPONENT).is_some_and(|it| it == component.as_str());
        observed.pods.iter().any(|pod| label(pod))
    };
    let set = observed.stateful_set.iter().filter(|_| !has_pod(Component::Database));
    let jobs =
        observed.jobs.iter().filter(|job| !migration_job::complete(job) && !has_pod(Component::Migration));
    let claim = observed
        .claim
        .iter()
        .filter(|claim| claim.status.as_ref().and_then(|status| status.phase.as_deref()) != Some("Bound"));
    pods.chain(claim.map(|claim| subject(Kind::PersistentVolumeClaim.into(), claim.as_ref())))
        .chain(set.map(|set| subject(Kind::StatefulSet.into(), set.as_ref())))
        .chain(jobs.map(|job| subject(Kind::Job.into(), job.as_ref())))
        .collect()
}

/// Whether a stack reports that it is ready and waits for nothing: it has no subjects.
pub fn is_settled(stack: &TodoStack) -> bool {
    let conditions = || stack.status.iter().flat_map(|status| &status.conditions);
    let is_waiting = |reason: &str| Reason::parse(reason).is_none_or(|it| it.class() == Class::Waiting);
    conditions().any(|it| it.type_ == ConditionType::Ready.as_str() && it.status == "True")
        && !conditions().any(|it| is_waiting(&it.reason))
}

fn subject<K: Resource>(kind: &'static str, object: &K) -> Subject {
    Subject { kind, name: object.name_any(), uid: object.uid().unwrap_or_default() }
}

/// Neither ready nor finished.
fn waits(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    !is_ready(pod) && !matches!(phase, Some("Succeeded" | "Failed"))
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some()
}

/// Since when a pod is ready.
pub(crate) fn ready_since(pod: &Pod) -> Option<Timestamp> {
    Some(condition(pod, "Ready")?.last_transition_time.as_ref()?.0)
}

/// A condition that holds.
pub(crate) fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.find(|it| it.type_ == kind && it.status == "True")
}
