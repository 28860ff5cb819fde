//! IngressClasses and certificates that are missing or invalid, and Ingresses without an address. Hosts that
//! the stack may not have are in `resolve/exposure.rs`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{
    Evidence, Finding, Part,
    certificate::{self, Fault},
};
use crate::{finding::Severity, names, observed::Lookup, stack};

/// The annotation of a default class.
pub const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

/// Time that a controller has to publish the address of a new Ingress.
const ADDRESS_GRACE: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let Some(ingress) = &evidence.stack.exposure.ingress else { return Vec::new() };
    let findings = [class(ingress, evidence), certificate(evidence), address(evidence)];
    findings.into_iter().flatten().collect()
}

fn finding(evidence: Evidence<'_>, reason: Reason) -> Finding {
    let object = format!("Ingress {}", names::ingress(&evidence.stack.id.name));
    Finding::new(Part::Exposure, reason, object)
        .evidence("the cluster's IngressClasses and Secrets")
        .related(evidence.observed.ingress.as_ref().map(|ingress| ingress.object_ref(&())))
}

fn class(ingress: &stack::Ingress, evidence: Evidence<'_>) -> Option<Finding> {
    let classes = &evidence.observed.ingress_classes;
    if evidence.observed.confined {
        return None;
    }
    let defaults = classes.iter().filter(|class| is_default(class)).count();
    let (reason, problem, remedy) = match &ingress.class_name {
        Some(name) if !classes.iter().any(|class| class.name_any() == *name) => (
            Reason::IngressClassNotFound,
            format!("references IngressClass {name}, which does not exist"),
            format!("Install its Ingress controller, or {}", available(classes)),
        ),
        None if defaults == 0 => (
            Reason::NoDefaultIngressClass,
            "names no IngressClass, and the cluster has no default IngressClass".to_owned(),
            format!("Annotate one as the default, or {}", available(classes)),
        ),
        None if defaults > 1 => (
            Reason::MultipleDefaultIngressClasses,
            "names no IngressClass, and the cluster has more than one default IngressClass".to_owned(),
            format!("Keep one default, or {}", available(classes)),
        ),
        _ => return None,
    };
    Some(finding(evidence, reason).problem(problem).remedy(remedy))
}

fn certificate(evidence: Evidence<'_>) -> Option<Finding> {
    let namespace = &evidence.stack.id.namespace;
    let secret = match &evidence.observed.referenced.tls {
        Lookup::NotNamed => return None,
        Lookup::Missing(name) => {
            let problem = format!("references Secret {name} with the TLS certificate, which does not exist");
            let remedy = format!(
                "Create it with cert-manager, or: kubectl -n {namespace} create secret tls {name} --cert=tls.crt --key=tls.key"
            );
            return Some(finding(evidence, Reason::TlsSecretNotFound).problem(problem).remedy(remedy));
        }
        Lookup::Found(secret) => secret,
    };
    let host = evidence.stack.exposure.host.as_deref()?;
    let (reason, severity, problem) = match certificate::fault(secret, host, evidence.now)? {
        Fault::Invalid(problem) => (Reason::TlsSecretInvalid, Severity::Blocking, problem),
        Fault::ExpiresSoon(problem) => (Reason::TlsCertificateExpiring, Severity::Warning, problem),
    };
    let name = secret.name_any();
    let finding = Finding::new(Part::Exposure, reason, format!("Secret {name}"))
        .problem(problem)
        // The type of a Secret is immutable, and may be another than kubernetes.io/tls.
        .remedy(format!(
            "Renew it with cert-manager, or replace it: kubectl -n {namespace} delete secret {name} && kubectl -n {namespace} create secret tls {name} --cert=tls.crt --key=tls.key"
        ))
        .evidence(format!("key tls.crt of Secret {name}"));
    Some(finding.related(secret.object_ref(&())).severity(severity))
}

/// Controllers behind a tunnel or on bare metal may serve an Ingress and never publish an address.
fn address(evidence: Evidence<'_>) -> Option<Finding> {
    let ingress = evidence.observed.ingress.as_deref().filter(|ingress| !has_address(ingress))?;
    let created = ingress.metadata.creation_timestamp.as_ref()?;
    (evidence.now.duration_since(created.0) >= ADDRESS_GRACE).then(|| {
        finding(evidence, Reason::NoIngressAddress)
            .problem("has no address: its controller publishes none")
            .remedy("If clients do not reach the API, check that the Ingress controller runs and serves the IngressClass")
            .evidence("status of the Ingress")
            .severity(Severity::Warning)
    })
}

/// Whether the controller of an Ingress has published an address.
pub(crate) fn has_address(ingress: &Ingress) -> bool {
    let addresses =
        ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    addresses.is_some_and(|addresses| !addresses.is_empty())
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

pub(crate) fn is_default(class: &IngressClass) -> bool {
    class.annotations().get(DEFAULT).is_some_and(|value| value == "true")
}
