//! Containers that do not run: configuration, command, crash, memory. Images are in `images.rs`, the check of
//! the volume is in `preflight.rs`.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus};
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, crashes, images,
    pods::{self, Place},
    preflight, quote,
};

/// Findings on containers, init containers first.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let living = pods::places(evidence).filter(|place| place.pod.metadata.deletion_timestamp.is_none());
    living.flat_map(|place| pod_findings(&place, evidence)).collect()
}

/// The findings on the containers of one pod.
pub(super) fn pod_findings(place: &Place<'_>, evidence: Evidence<'_>) -> Vec<Finding> {
    let containers = pods::containers(place.pod);
    containers.filter_map(|container| container_finding(place, container, evidence)).collect()
}

fn container_finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    evidence: Evidence<'_>,
) -> Option<Finding> {
    let state = container.state.as_ref()?;
    let last = container.last_state.as_ref().and_then(failed);
    let terminated = match &state.waiting {
        None => failed(state).or(last.filter(|_| container.restart_count > 0 && !container.ready))?,
        Some(waiting) => {
            let reason = waiting.reason.as_deref().unwrap_or_default();
            let message = waiting.message.as_deref().unwrap_or_default();
            if let Some(finding) = images::finding(place, container, reason, message) {
                return Some(finding);
            }
            match reason {
                "CrashLoopBackOff" => last?,
                "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                    return Some(not_created(place, container, message));
                }
                _ => return None,
            }
        }
    };
    if place.part == Part::Database
        && let Some(finding) = preflight::finding(place, container, terminated, evidence.stack)
    {
        return Some(finding);
    }
    Some(failure(place, container, terminated))
}

/// A termination with an exit code other than 0.
fn failed(state: &ContainerState) -> Option<&ContainerStateTerminated> {
    state.terminated.as_ref().filter(|terminated| terminated.exit_code != 0)
}

fn failure(place: &Place<'_>, container: &ContainerStatus, terminated: &ContainerStateTerminated) -> Finding {
    let message = terminated.message.as_deref().unwrap_or_default();
    match terminated.reason.as_deref() {
        Some("OOMKilled") => out_of_memory(place, container),
        Some("StartError" | "ContainerCannotRun") => not_created(place, container, message),
        _ => crashes::finding(place, container, terminated),
    }
}

/// A container that could not be created or started, by the message of the container runtime.
fn not_created(place: &Place<'_>, container: &ContainerStatus, message: &str) -> Finding {
    let (reason, problem, remedy) = if message.contains("exec format error") {
        (
            Reason::ImageArchitectureMismatch,
            format!(
                "cannot start: its image {} is built for another architecture than the node's",
                container.image
            ),
            images::replacement(place, container, crashes::ARCHITECTURE),
        )
    } else if message.contains("executable file not found") || message.contains("no such file or directory") {
        (
            Reason::ContainerCommandNotFound,
            format!("cannot start: its command was not found in the image {}", container.image),
            images::replacement(place, container, "with the same command and entrypoint as the default one"),
        )
    } else if message.starts_with("secret ") && message.ends_with("not found") {
        (
            Reason::SecretNotFound,
            format!("cannot be created: {message}"),
            "Create the Secret; the container then starts".to_owned(),
        )
    } else if message.starts_with("couldn't find key") {
        (
            Reason::SecretKeyMissing,
            format!("cannot be created: {message}"),
            "Add the key; the container then starts".to_owned(),
        )
    } else {
        let message = quote::without_ids(message.trim_end_matches('.'));
        let remedy = "Fix what the message names; the container then starts".to_owned();
        (Reason::CreateContainerError, format!("cannot be created: {message}"), remedy)
    };
    place.finding(container, reason, problem, remedy)
}

fn out_of_memory(place: &Place<'_>, container: &ContainerStatus) -> Finding {
    let problem = "was OOM-killed: it exceeded its memory limit".to_owned();
    let remedy = format!("Raise {}.resources.limits.memory", place.part.spec_field());
    place.finding(container, Reason::OOMKilled, problem, remedy)
}
