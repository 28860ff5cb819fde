//! The part that a pod belongs to, whether it is evidence, and findings on its containers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStatus, Pod},
};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::{
    labels::{self, COMPONENT, Component, STACK},
    observed::subjects,
    resources::migration_job::{self, Outcome},
};

/// Time in which a pod fails if it fails as the one before it: until then, both are evidence, so that the
/// status does not change with each attempt.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);

/// A pod and its part of the stack.
pub(super) struct Place<'a> {
    pub(super) part: Part,
    pub(super) pod: &'a Pod,
}

impl Place<'_> {
    pub(super) fn finding(
        &self,
        container: &ContainerStatus,
        reason: Reason,
        problem: String,
        remedy: String,
    ) -> Finding {
        Finding::new(self.part, reason, format!("Container {}", container.name))
            .problem(problem)
            .remedy(remedy)
            .evidence(format!("status of Pod {}", self.pod.name_any()))
            .related(self.pod.object_ref(&()))
    }

    /// The command that prints the log of a container before its last restart, in all pods of this part: the
    /// name of a pod changes by itself.
    pub(super) fn previous_log(&self, container: &ContainerStatus) -> String {
        self.logs(container, " --previous")
    }

    /// The command that prints the log of a container.
    pub(super) fn log(&self, container: &ContainerStatus) -> String {
        self.logs(container, "")
    }

    fn logs(&self, container: &ContainerStatus, which: &str) -> String {
        let namespace = self.pod.namespace().unwrap_or_default();
        format!("kubectl -n {namespace} logs -l {} -c {}{which}", self.selector(), container.name)
    }

    /// The selector of the objects of a component of the same stack: their names change by themselves.
    pub(super) fn selector_of(&self, component: Component) -> String {
        let stack = self.pod.labels().get(STACK).map(String::as_str).unwrap_or_default();
        labels::selector_text(stack, component)
    }

    /// The label selector of all pods of this part.
    pub(super) fn selector(&self) -> String {
        let label = |key: &str| self.pod.labels().get(key).map(String::as_str).unwrap_or_default();
        format!("{STACK}={},{COMPONENT}={}", label(STACK), label(COMPONENT))
    }
}

/// The pods of the stack with their parts, without those that are dead and replaced.
pub(super) fn places(evidence: Evidence<'_>) -> impl Iterator<Item = Place<'_>> {
    let places = evidence.observed.pods.iter().filter_map(|pod| Some(Place { part: part(pod)?, pod }));
    places.filter(move |place| !is_replaced(place, evidence))
}

/// Whether a pod is dead, and its controller goes on without it: a pod that was evicted, or an attempt of a
/// Job before the current one. What a Job that has failed means is decided in `migrations.rs`.
fn is_replaced(place: &Place<'_>, evidence: Evidence<'_>) -> bool {
    let phase = place.pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if place.part != Part::Migrations {
        return phase == Some("Failed");
    }
    let observed = evidence.observed;
    let owners = place.pod.owner_references();
    let owns = |job: &&Arc<Job>| owners.iter().any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref());
    let Some(job) = observed.jobs.iter().find(owns) else { return false };
    // A drain or a preemption ended it.
    let is_disrupted = subjects::condition(place.pod, "DisruptionTarget").is_some();
    let is_current = job.metadata.name == evidence.stack.migration.job
        && !migration_job::finished(job)
        && migration_job::outcome(job, &observed.pods) == Outcome::Running;
    let created = |pod: &Pod| pod.creation_timestamp().map(|time| time.0);
    let mut others = migration_job::pods_of(job, &observed.pods).filter_map(|pod| created(pod));
    let is_settled = |at: &Timestamp| evidence.now.duration_since(*at) >= SETTLED;
    !is_current
        || is_disrupted
        || others.any(|other| is_settled(&other) && created(place.pod).is_some_and(|own| own < other))
}

/// The part of a pod, by its component label.
pub(super) fn part(pod: &Arc<Pod>) -> Option<Part> {
    let component = pod.labels().get(COMPONENT)?;
    let parts = [
        (Component::Database, Part::Database),
        (Component::Migration, Part::Migrations),
        (Component::Api, Part::Api),
    ];
    parts.into_iter().find(|(known, _)| known.as_str() == component).map(|(_, part)| part)
}

/// All containers of a pod, init containers first.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status
        .flat_map(|status| status.init_container_statuses.iter().chain(&status.container_statuses).flatten())
}

#[cfg(test)]
mod tests;
