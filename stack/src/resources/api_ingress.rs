//! The Ingress of the API: plain `networking.k8s.io/v1`, so that any Ingress controller serves it.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use todostack_crds::Reason;

use super::api_service;
use crate::{
    build::Desired,
    labels::{self, Component},
    managed::Key,
    names,
    part::Part,
    stack::{self, Stack},
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    let is_taken = stack.findings.iter().any(|finding| finding.reason == Reason::HostConflict);
    match build(stack).filter(|_| !is_taken) {
        // An Ingress of when the host was allowed stays: like an admission policy, the list of allowed hosts
        // does not end what runs.
        Some(_) if stack.is_blocked(Part::Exposure) => Desired::Keep,
        Some(ingress) => Desired::Apply(ingress.into()),
        None => Desired::Delete(Key::new::<Ingress>(names::ingress(&stack.id.name))),
    }
}

/// none when the stack asks for none.
pub(super) fn build(stack: &Stack) -> Option<Ingress> {
    let stack::Ingress { class_name, annotations, tls_secret } = stack.exposure.ingress.as_ref()?;
    let mut metadata = labels::owned(stack, names::ingress(&stack.id.name), Component::Exposure);
    metadata.annotations = (!annotations.is_empty()).then(|| annotations.clone());
    let backend = IngressBackend {
        service: Some(IngressServiceBackend {
            name: names::api(&stack.id.name),
            port: Some(ServiceBackendPort { name: Some(api_service::PORT.to_owned()), number: None }),
        }),
        resource: None,
    };
    let path = HTTPIngressPath { backend, path: Some("/".to_owned()), path_type: "Prefix".to_owned() };
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: class_name.clone(),
            rules: Some(vec![IngressRule {
                host: stack.exposure.host.clone(),
                http: Some(HTTPIngressRuleValue { paths: vec![path] }),
            }]),
            tls: tls_secret.as_ref().map(|secret| {
                let hosts = stack.exposure.host.clone().map(|host| vec![host]);
                vec![IngressTLS { hosts, secret_name: Some(secret.clone()) }]
            }),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    })
}
