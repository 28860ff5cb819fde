//! The headless Service that gives the database its name.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use crate::{
    labels::{self, Component},
    names,
    stack::Stack,
};

/// Name of the port, on the Service and in the pod.
pub const PORT: &str = "postgres";
/// Postgres's port.
pub const NUMBER: i32 = 5432;

/// Builds it. Not-ready addresses stay out: a client that gets a name gets a server that takes connections.
#[must_use]
pub fn build(stack: &Stack) -> Service {
    Service {
        metadata: labels::owned(stack, names::database(&stack.name), Component::Database),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
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
