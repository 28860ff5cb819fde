//! Containers that do not run: image, configuration, crash, memory.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod};
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, log_line};
use crate::labels::{COMPONENT, Component};

/// Findings on containers, init containers first.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    evidence.observed.pods.iter().filter_map(|pod| Some((part(pod)?, pod))).flat_map(of_pod).collect()
}

/// The part that a pod's label names.
pub(super) fn part(pod: &Pod) -> Option<Part> {
    let component = pod.labels().get(COMPONENT)?;
    let parts = [
        (Component::Database, Part::Database),
        (Component::Migration, Part::Migrations),
        (Component::Api, Part::Api),
    ];
    parts.into_iter().find(|(known, _)| known.as_str() == component).map(|(_, part)| part)
}

fn of_pod((part, pod): (Part, &std::sync::Arc<Pod>)) -> Vec<Finding> {
    let Some(status) = &pod.status else { return Vec::new() };
    if pod.metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    containers.filter_map(|container| of_container(part, container)).collect()
}

fn of_container(part: Part, container: &ContainerStatus) -> Option<Finding> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let words = waiting.message.as_deref().unwrap_or_default();
        return match waiting.reason.as_deref().unwrap_or_default() {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                Some(image(part, container))
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                Some(configuration(part, container, words))
            }
            "CrashLoopBackOff" => {
                let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
                Some(ended(part, container, last))
            }
            _ => None,
        };
    }
    let ended_before = container.restart_count > 0 && !container.ready;
    let terminated = terminated(state)
        .or_else(|| container.last_state.as_ref().and_then(terminated).filter(|_| ended_before))?;
    Some(ended(part, container, Some(terminated)))
}

/// An end that was not asked for.
fn terminated(state: &ContainerState) -> Option<&ContainerStateTerminated> {
    state.terminated.as_ref().filter(|terminated| terminated.exit_code != 0)
}

fn image(part: Part, container: &ContainerStatus) -> Finding {
    let field = match part {
        Part::Database => "spec.database.postgres.image",
        _ => "spec.api.image",
    };
    Finding {
        part,
        object: format!("Container {}", container.name),
        reason: Reason::ImagePullFailed,
        problem: format!("cannot have its image {}: the node cannot pull it", container.image),
        remedy: format!("Check name, tag and pull rights, and correct {field}"),
        needs_person: true,
    }
}

fn configuration(part: Part, container: &ContainerStatus, words: &str) -> Finding {
    Finding {
        part,
        object: format!("Container {}", container.name),
        reason: Reason::ContainerConfigInvalid,
        problem: format!("cannot be created: {words}"),
        remedy: "Create what it names; it starts by itself then".to_owned(),
        needs_person: true,
    }
}

fn ended(part: Part, container: &ContainerStatus, terminated: Option<&ContainerStateTerminated>) -> Finding {
    let object = format!("Container {}", container.name);
    if terminated.and_then(|terminated| terminated.reason.as_deref()) == Some("OOMKilled") {
        let field =
            if part == Part::Database { "spec.database.postgres.resources" } else { "spec.api.resources" };
        return Finding {
            part,
            object,
            reason: Reason::OutOfMemory,
            problem: "was ended for using more memory than its limit".to_owned(),
            remedy: format!("Raise limits.memory in {field}"),
            needs_person: true,
        };
    }
    let last = terminated.and_then(|terminated| log_line::last(terminated.message.as_deref()?));
    let code = terminated.map(|terminated| terminated.exit_code).unwrap_or_default();
    let words = last.unwrap_or_else(|| format!("exit code {code}, and its log is empty"));
    Finding {
        part,
        object,
        reason: if part == Part::Migrations { Reason::MigrationFailed } else { Reason::CrashLoop },
        problem: format!("ends again and again: {}", words.trim_end_matches('.')),
        remedy: "Read on in its log: kubectl logs --previous".to_owned(),
        needs_person: false,
    }
}
