//! Whether a Deployment runs what its spec says. Pure.

use k8s_openapi::api::apps::v1::Deployment;

/// Whether it has only pods of its spec, and all of them are available.
pub(crate) fn is_complete(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let replicas = Some(replicas(deployment));
    status.observed_generation == deployment.metadata.generation
        && [status.replicas, status.updated_replicas, status.available_replicas] == [replicas; 3]
}

/// How many pods it should have.
pub(crate) fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default()
}
