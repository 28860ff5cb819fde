//! What caches keep of metadata, and of the objects that no stack owns. What they keep of managed objects is
//! in the table of `managed.rs`.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec},
        core::v1::{Event, Pod, PodSpec},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use todostack_crds::FIELD_MANAGER;

/// Of the field managers the operator's applies, which show whether another manager took a field, and those
/// that may have taken one: not the controllers that report a status.
pub fn metadata(metadata: &mut ObjectMeta) {
    if let Some(entries) = &mut metadata.managed_fields {
        entries.retain(|entry| {
            let is_own = entry.manager.as_deref() == Some(FIELD_MANAGER)
                && entry.operation.as_deref() == Some("Apply");
            is_own || entry.subresource.as_deref() != Some("status")
        });
    }
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// Of the spec the replicas, which may be those of a HorizontalPodAutoscaler.
pub(crate) fn deployment(deployment: &mut Deployment) {
    let replicas = deployment.spec.take().and_then(|spec| spec.replicas);
    deployment.spec = Some(DeploymentSpec { replicas, ..DeploymentSpec::default() });
}

/// Labels, node, conditions, and the state of each container.
pub fn pod(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.metadata.annotations = None;
    pod.spec = pod.spec.take().map(|spec| PodSpec { node_name: spec.node_name, ..PodSpec::default() });
    let Some(status) = &mut pod.status else { return };
    (status.host_ips, status.pod_ips) = (None, None);
    (status.allocated_resources, status.resources) = (None, None);
    let init = status.init_container_statuses.iter_mut().flatten();
    for container in init.chain(status.container_statuses.iter_mut().flatten()) {
        (container.allocated_resources, container.resources) = (None, None);
        (container.volume_mounts, container.user) = (None, None);
        container.image_id.clear();
    }
}

/// Name, default annotation and provisioner.
pub fn storage_class(class: &mut StorageClass) {
    class.metadata.managed_fields = None;
    class.parameters = None;
}

pub fn ingress_class(class: &mut IngressClass) {
    class.metadata.managed_fields = None;
}

/// Of which object, why, how often, and when last.
pub fn event(event: &mut Event) {
    let Event { metadata, .. } = event;
    *metadata = ObjectMeta { name: metadata.name.take(), ..ObjectMeta::default() };
    (event.action, event.related, event.first_timestamp, event.source) = (None, None, None, None);
    (event.reporting_component, event.reporting_instance, event.type_) = (None, None, None);
}
