//! IngressClasses and certificates that are missing, and hosts that another stack has.

use std::sync::Arc;

use k8s_openapi::api::networking::v1::IngressClass;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::{names, observed::Lookup};

/// The annotation of a default class.
pub const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let Some(ingress) = &evidence.stack.exposure.ingress else { return Vec::new() };
    let object = format!("Ingress {}", names::ingress(&evidence.stack.id.name));
    let finding = |reason, problem: String, remedy: String| {
        Finding::new(Part::Exposure, reason, object.clone())
            .problem(problem)
            .remedy(remedy)
            .evidence("the cluster's IngressClasses and Secrets")
            .related(evidence.observed.ingress.as_ref().map(|ingress| ingress.object_ref(&())))
    };
    let classes = &evidence.observed.ingress_classes;
    let defaults = classes.iter().filter(|class| is_default(class)).count();
    let class = match &ingress.class_name {
        Some(name) if !classes.iter().any(|class| class.name_any() == *name) => Some(finding(
            Reason::IngressClassNotFound,
            format!("references IngressClass {name}, which does not exist"),
            format!("Install its Ingress controller, or {}", available(classes)),
        )),
        None if defaults == 0 => Some(finding(
            Reason::NoDefaultIngressClass,
            "names no IngressClass, and the cluster has no default IngressClass".to_owned(),
            format!("Annotate one as the default, or {}", available(classes)),
        )),
        None if defaults > 1 => Some(finding(
            Reason::MultipleDefaultIngressClasses,
            "names no IngressClass, and the cluster has more than one default IngressClass".to_owned(),
            format!("Keep one default, or {}", available(classes)),
        )),
        _ => None,
    };
    let certificate = match &evidence.observed.referenced.tls {
        Lookup::Missing(name) => Some(finding(
            Reason::TlsSecretNotFound,
            format!("references Secret {name} with the TLS certificate, which does not exist"),
            format!(
                "Create it with cert-manager, or: kubectl -n {} create secret tls {name} --cert=tls.crt --key=tls.key",
                evidence.stack.id.namespace
            ),
        )),
        Lookup::Found(_) | Lookup::NotNamed => None,
    };
    let host = evidence.observed.host_conflict.as_ref().map(|other| {
        finding(
            Reason::HostConflict,
            format!("has the same host as TodoStack {other}, which is older"),
            "Set spec.exposure.host to another name: which of the two an Ingress controller serves is undefined"
                .to_owned(),
        )
    });
    class.into_iter().chain(certificate).chain(host).collect()
}

/// The field to change, with the classes that exist.
fn available(classes: &[Arc<IngressClass>]) -> String {
    let mut names: Vec<_> = classes.iter().map(|class| class.name_any()).collect();
    names.sort();
    match names.as_slice() {
        [] => "install an Ingress controller: the cluster has no IngressClass".to_owned(),
        names => format!("set spec.exposure.ingress.className to one of: {}", names.join(", ")),
    }
}

fn is_default(class: &IngressClass) -> bool {
    class.annotations().get(DEFAULT).is_some_and(|value| value == "true")
}
