//! How clients reach the API, and hosts that the stack may not have.

use kube::Resource as _;
use todostack_crds::{
    Reason,
    exposure::{ExposureSpec, TrustedProxiesSpec},
};

use super::Inputs;
use crate::{
    finding::Finding,
    names,
    observed::Observed,
    part::Part,
    stack::{Exposure, Ingress, TrustedProxies},
    stack_ref::StackRef,
};

pub(super) fn resolve(
    spec: Option<&ExposureSpec>,
    id: &StackRef,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Exposure {
    let Inputs { observed, config, .. } = inputs;
    let ExposureSpec { host, ingress, service, url: public_url, trusted_proxies } =
        spec.cloned().unwrap_or_default();
    let has_ingress = host.is_some() || ingress.is_some();
    if has_ingress {
        let found = [conflict(host.as_deref(), id, observed), not_allowed(host.as_deref(), id, inputs)];
        findings.extend(found.into_iter().flatten());
    }
    let ingress = ingress.unwrap_or_default();
    let tls_secret = ingress.tls.map(|tls| tls.secret_name);
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
    let url = match (&public_url, &host, &tls_secret) {
        (Some(url), ..) => format!("{url}/todos"),
        (None, Some(host), Some(_)) => config.url("https", host),
        (None, Some(host), None) => config.url("http", host),
        (None, None, _) => config.service_url(&id.name, &id.namespace),
    };
    Exposure {
        host,
        ingress: has_ingress.then_some(Ingress {
            class_name: ingress.class_name,
            annotations: ingress.annotations,
            tls_secret,
        }),
        service_type: service.unwrap_or_default().type_.into(),
        url,
        public_url,
        trusted_proxies: trusted(trusted_proxies.unwrap_or_default(), has_ingress),
    }
}

/// By default the Ingress controller alone.
fn trusted(spec: TrustedProxiesSpec, has_ingress: bool) -> TrustedProxies {
    let TrustedProxiesSpec { hops, networks } = spec;
    if networks.is_empty() {
        TrustedProxies::Hops(hops.unwrap_or_else(|| i32::from(has_ingress)))
    } else {
        TrustedProxies::Networks(networks)
    }
}

fn finding(reason: Reason, id: &StackRef, observed: &Observed) -> Finding {
    Finding::new(Part::Exposure, reason, format!("Ingress {}", names::ingress(&id.name)))
        .related(observed.ingress.as_ref().map(|ingress| ingress.object_ref(&())))
        .evident_in_spec()
}

/// Which of two Ingresses for one host a controller serves is undefined, so the later one does not exist.
fn conflict(host: Option<&str>, id: &StackRef, observed: &Observed) -> Option<Finding> {
    let other = observed.host_conflict.as_ref()?;
    let (what, remedy) = match host {
        Some(_) => ("the same host", "another name"),
        None => ("the Ingress for every host name", "a name"),
    };
    Some(
        finding(Reason::HostConflict, id, observed)
            .problem(format!("is not created: TodoStack {other}, which comes first, has {what}"))
            .remedy(format!("Set spec.exposure.host to {remedy}")),
    )
}

fn not_allowed(host: Option<&str>, id: &StackRef, inputs: Inputs<'_>) -> Option<Finding> {
    let StackRef { namespace, .. } = id;
    if inputs.config.allowed_hosts.allows(host, namespace) {
        return None;
    }
    let (problem, entry) = match host {
        Some(host) => (format!("asks for host {host}"), host),
        None => ("matches every host name".to_owned(), "*"),
    };
    Some(
        finding(Reason::HostNotAllowed, id, inputs.observed)
            .problem(format!("{problem}, which the administrator does not allow to namespace {namespace}"))
            .remedy(format!(
                "Set spec.exposure.host to a name that is allowed, or have the administrator add {entry} to the value exposure.allowedHosts of the chart todostack-operator"
            )),
    )
}
