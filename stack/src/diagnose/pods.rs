//! The part that a pod belongs to, and findings on its containers.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::labels::{COMPONENT, Component, STACK};

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
        let label = |key: &str| self.pod.labels().get(key).map(String::as_str).unwrap_or_default();
        format!(
            "kubectl -n {} logs -l {STACK}={},{COMPONENT}={} -c {}{which}",
            self.pod.namespace().unwrap_or_default(),
            label(STACK),
            label(COMPONENT),
            container.name
        )
    }
}

/// The pods of the stack with their parts.
pub(super) fn places(evidence: Evidence<'_>) -> impl Iterator<Item = Place<'_>> {
    evidence.observed.pods.iter().filter_map(|pod| Some(Place { part: part(pod)?, pod }))
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
