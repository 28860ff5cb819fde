//! What of each watched object is kept in memory: the fields that `observe` and `diagnose` read, and no more.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, IngressClass},
    storage::v1::StorageClass,
};
use kube::api::ObjectMeta;
use todostack_crds::FIELD_MANAGER;

/// Keeps of the field managers only ours: it tells whether somebody has taken a field of ours.
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

/// All of it: the credentials are read back.
pub fn secret(secret: &mut Secret) {
    metadata(&mut secret.metadata);
}

/// The address of a load balancer.
pub fn service(service: &mut Service) {
    metadata(&mut service.metadata);
    service.spec = None;
}

/// That it is there.
pub fn service_account(account: &mut ServiceAccount) {
    metadata(&mut account.metadata);
    account.image_pull_secrets = None;
    account.secrets = None;
}

/// Phase, size, class and volume.
pub fn claim(claim: &mut PersistentVolumeClaim) {
    metadata(&mut claim.metadata);
}

/// Phase and the claim it is bound to.
pub fn volume(volume: &mut PersistentVolume) {
    metadata(&mut volume.metadata);
}

/// Its status.
pub fn stateful_set(set: &mut StatefulSet) {
    metadata(&mut set.metadata);
    set.spec = None;
}

/// Its status; what is released stands in annotations.
pub fn deployment(deployment: &mut Deployment) {
    metadata(&mut deployment.metadata);
    deployment.spec = None;
}

/// Its status.
pub fn job(job: &mut Job) {
    metadata(&mut job.metadata);
    job.spec = None;
}

/// Its addresses.
pub fn ingress(ingress: &mut Ingress) {
    metadata(&mut ingress.metadata);
    ingress.spec = None;
}

/// Its status.
pub fn pod(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.metadata.annotations = None;
    pod.spec = None;
}

/// Name and default mark.
pub fn storage_class(class: &mut StorageClass) {
    class.metadata.managed_fields = None;
    class.parameters = None;
}

/// Name and default mark.
pub fn ingress_class(class: &mut IngressClass) {
    class.metadata.managed_fields = None;
}
