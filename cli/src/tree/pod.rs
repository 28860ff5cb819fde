//! The state of one pod, as `kubectl get pods` prints it.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};
use kube::ResourceExt as _;

use crate::report::{Mark, Node};

/// Reasons of waiting containers of a pod that starts.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

pub(crate) fn node(pod: &Pod) -> Node {
    let (mark, state) = state(pod);
    Node {
        object: format!("Pod {}", pod.name_any()),
        mark,
        state,
        details: details(pod),
        objects: Vec::new(),
    }
}

fn state(pod: &Pod) -> (Mark, String) {
    let empty = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&empty);
    if pod.metadata.deletion_timestamp.is_some() {
        return (Mark::Waiting, "Terminating".to_owned());
    }
    let phase = status.phase.as_deref().unwrap_or("Pending");
    let restarts: i32 = containers(status).map(|container| container.restart_count).sum();
    let restarts = match restarts {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        restarts => format!(", {restarts} restarts"),
    };
    if phase == "Succeeded" {
        return (Mark::Good, "Completed".to_owned());
    }
    if phase == "Failed" {
        return (Mark::Bad, status.reason.clone().unwrap_or_else(|| "Failed".to_owned()));
    }
    // As kubectl: the reason of a waiting container says more than the phase of its pod.
    if let Some(reason) = waiting(status) {
        let mark = if STARTING.contains(&reason) { Mark::Waiting } else { Mark::Bad };
        return (mark, format!("{reason}{restarts}"));
    }
    match (phase, is_true(status, "Ready")) {
        ("Running", true) => (Mark::Good, format!("Running{restarts}")),
        ("Running", false) => (Mark::Waiting, format!("Running, not ready{restarts}")),
        _ if !is_true(status, "PodScheduled") => (Mark::Waiting, format!("{phase}, not scheduled")),
        _ => (Mark::Waiting, phase.to_owned()),
    }
}

/// The reason of the first waiting container.
fn waiting(status: &PodStatus) -> Option<&str> {
    containers(status).find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        waiting.reason.as_deref()
    })
}

fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    status.init_container_statuses.iter().chain(&status.container_statuses).flatten()
}

fn is_true(status: &PodStatus, kind: &str) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|PodCondition { type_, status, .. }| type_ == kind && status == "True")
}

fn details(pod: &Pod) -> String {
    let spec = pod.spec.as_ref();
    let node = spec.and_then(|spec| spec.node_name.as_deref()).map(|node| format!("on {node}"));
    let images = spec.into_iter().flat_map(|spec| &spec.containers).filter_map(|it| it.image.clone());
    node.into_iter().chain(images).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn waiting(reason: &str, restarts: i32) -> Value {
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}], "containerStatuses": [
            {"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
             "state": {"waiting": {"reason": reason}}},
        ]})
    }

    #[rstest]
    #[case::unscheduled(json!({}), Mark::Waiting, "Pending, not scheduled")]
    #[case::pulling(waiting("ContainerCreating", 0), Mark::Waiting, "ContainerCreating")]
    #[case::crashing(waiting("CrashLoopBackOff", 3), Mark::Bad, "CrashLoopBackOff, 3 restarts")]
    #[case::completed(json!({"phase": "Succeeded"}), Mark::Good, "Completed")]
    #[case::evicted(json!({"phase": "Failed", "reason": "Evicted"}), Mark::Bad, "Evicted")]
    #[case::serving(
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
        Mark::Good,
        "Running"
    )]
    #[case::starting(
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}),
        Mark::Waiting,
        "Running, not ready"
    )]
    fn the_state_of_a_pod_reads_as_in_kubectl(
        #[case] status: Value,
        #[case] mark: Mark,
        #[case] state: &str,
    ) {
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap();
        let node = node(&pod);
        assert_eq!((node.mark, node.state.as_str()), (mark, state));
    }
}
