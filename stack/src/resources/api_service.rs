//! The Service in front of the API pods.

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

/// Name of the port, on the Service, in the pod and in the Ingress.
pub const PORT: &str = "http";
/// Port of the Service.
const NUMBER: i32 = 80;
/// Port of the container.
pub const TARGET: i32 = 8080;

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(Some(build(stack)))
}

pub(super) fn build(stack: &Stack) -> Service {
    Service {
        metadata: labels::owned(stack, names::api(&stack.id.name), Component::Api),
        spec: Some(ServiceSpec {
            type_: Some(stack.exposure.service_type.to_owned()),
            selector: Some(labels::selector_labels(stack, Component::Api)),
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
