//! Events of pods that do not come up; nothing is asked while all pods run.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{Api, Client, ResourceExt as _, api::ListParams};

use super::Error;

/// Newest Events a pod: more say nothing new, since the API server folds repeats into one.
const LIMIT: u32 = 50;

/// The Events of pods that wait for something outside of them.
pub(super) async fn of_pods_that_wait(
    client: &Client,
    namespace: &str,
    pods: &[Arc<Pod>],
) -> Result<Vec<Event>, Error> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let mut events = Vec::new();
    for pod in pods.iter().filter(|pod| waits(pod)) {
        let selector = format!("involvedObject.uid={}", pod.uid().unwrap_or_default());
        let parameters = ListParams::default().fields(&selector).limit(LIMIT);
        let found = api.list(&parameters).await.map_err(|source| Error::Read {
            kind: "Events of Pod".to_owned(),
            namespace: namespace.to_owned(),
            name: pod.name_any(),
            source,
        })?;
        events.extend(found.items);
    }
    Ok(events)
}

/// Scheduled, and no container or init container has ever run: the kubelet is at the volumes, network or images.
fn waits(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let scheduled = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "PodScheduled" && condition.status == "True");
    let untouched = status
        .container_statuses
        .iter()
        .chain(&status.init_container_statuses)
        .flatten()
        .all(|container| container.container_id.as_deref().unwrap_or_default().is_empty());
    status.phase.as_deref() == Some("Pending") && scheduled && untouched
}
