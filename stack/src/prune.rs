//! What caches keep of metadata, and of the objects that no stack owns. What they keep of managed objects is
//! in the table of `managed.rs`.

use k8s_openapi::{
    api::{
        core::v1::{Pod, PodSpec},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use todostack_crds::FIELD_MANAGER;

/// Of the field managers only the operator's applies: they show whether another manager took a field.
pub fn metadata(metadata: &mut ObjectMeta) {
    if let Some(entries) = &mut metadata.managed_fields {
        entries.retain(|entry| {
            entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
        });
    }
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// Status, labels and node.
pub fn pod(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.metadata.annotations = None;
    pod.spec = pod.spec.take().map(|spec| PodSpec { node_name: spec.node_name, ..PodSpec::default() });
}

/// Name, default annotation and provisioner.
pub fn storage_class(class: &mut StorageClass) {
    class.metadata.managed_fields = None;
    class.parameters = None;
}

pub fn ingress_class(class: &mut IngressClass) {
    class.metadata.managed_fields = None;
}
