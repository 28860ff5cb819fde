//! The headless Service of the database, which gives it its DNS name.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use crate::{
    build::Desired,
    labels::{self, Component},
    names,
    stack::Stack,
};

/// Name of the port, on the Service and in the pod.
pub const PORT: &str = "postgres";
pub const NUMBER: i32 = 5432;

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(stack.startable_postgres().map(|_| build(stack)))
}

/// The name resolves as soon as the pod has an address, not only once it is ready: resolvers cache a negative
/// answer for 5 s and more, and clients retry a refused connection at once.
pub(super) fn build(stack: &Stack) -> Service {
    Service {
        metadata: labels::owned(stack, names::database(&stack.id.name), Component::Database),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(labels::selector_labels(stack, Component::Database)),
            ports: Some(vec![ServicePort {
                name: Some(PORT.to_owned()),
                port: NUMBER,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String(PORT.to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
