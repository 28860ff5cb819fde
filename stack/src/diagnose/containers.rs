//! Containers that do not run: configuration, command, crash, memory. Images are `images.rs`'s, the volume's check is
//! `preflight.rs`'s.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus};
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part, crashes, images, log_line,
    pods::{self, Place},
    preflight,
};
use crate::resources::postgres_stateful_set::PREFLIGHT;

/// Findings on containers, init containers first.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let living = pods::places(evidence).filter(|place| place.pod.metadata.deletion_timestamp.is_none());
    living.flat_map(|place| of_pod(&place)).collect()
}

fn of_pod(place: &Place<'_>) -> Vec<Finding> {
    pods::containers(place.pod).filter_map(|container| of_container(place, container)).collect()
}

fn of_container(place: &Place<'_>, container: &ContainerStatus) -> Option<Finding> {
    let state = container.state.as_ref()?;
    let before = container.last_state.as_ref().and_then(failed);
    let ended = match &state.waiting {
        None => failed(state).or(before.filter(|_| container.restart_count > 0 && !container.ready))?,
        Some(waiting) => {
            let word = waiting.reason.as_deref().unwrap_or_default();
            let message = waiting.message.as_deref().unwrap_or_default();
            if let Some(finding) = images::finding(place, container, word, message) {
                return Some(finding);
            }
            match word {
                "CrashLoopBackOff" => before?,
                "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                    return Some(uncreated(place, container, message));
                }
                _ => return None,
            }
        }
    };
    if container.name == PREFLIGHT
        && let Some(finding) = preflight::finding(place, container, ended)
    {
        return Some(finding);
    }
    Some(of_end(place, container, ended))
}

/// An end that was not asked for.
fn failed(state: &ContainerState) -> Option<&ContainerStateTerminated> {
    state.terminated.as_ref().filter(|terminated| terminated.exit_code != 0)
}

fn of_end(place: &Place<'_>, container: &ContainerStatus, ended: &ContainerStateTerminated) -> Finding {
    let message = ended.message.as_deref().unwrap_or_default();
    match ended.reason.as_deref() {
        Some("OOMKilled") => memory(place, container),
        Some("StartError" | "ContainerCannotRun") => uncreated(place, container, message),
        _ => crashes::finding(place, container, ended),
    }
}

/// A container that could not be created or started, by the runtime's words.
fn uncreated(place: &Place<'_>, container: &ContainerStatus, words: &str) -> Finding {
    let (reason, problem, remedy) = if words.contains("exec format error") {
        (
            Reason::ImageArchitectureMismatch,
            format!("has an image for another processor than the node's: {}", container.image),
            "Take an image that is built for the node's architecture",
        )
    } else if words.contains("executable file not found") || words.contains("no such file or directory") {
        (
            Reason::ContainerCommandNotFound,
            format!("cannot start: its command is not in the image {}", container.image),
            "Take an image of the same product, whose contract it keeps",
        )
    } else if words.starts_with("secret ") && words.ends_with("not found") {
        (
            Reason::SecretNotFound,
            format!("cannot be created: {words}"),
            "Create it; the container starts by itself then",
        )
    } else if words.starts_with("couldn't find key") {
        (
            Reason::SecretKeyMissing,
            format!("cannot be created: {words}"),
            "Add it; the container starts by itself then",
        )
    } else {
        let words = log_line::without_ids(words.trim_end_matches('.'));
        let remedy = "Mend what it names; the container starts by itself then";
        (Reason::CreateContainerError, format!("cannot be created: {words}"), remedy)
    };
    place.finding(container, reason, problem, remedy.to_owned())
}

fn memory(place: &Place<'_>, container: &ContainerStatus) -> Finding {
    let field =
        if place.part == Part::Database { "spec.database.postgres.resources" } else { "spec.api.resources" };
    let problem = "was ended for using more memory than its limit".to_owned();
    place.finding(container, Reason::OOMKilled, problem, format!("Raise limits.memory in {field}"))
}
