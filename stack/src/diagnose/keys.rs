//! API pods that start and cannot read the keys of the tokens' issuer. What the ConfigMap with its
//! certificate authority lacks is in `resolve/jwks_ca.rs`.

use k8s_openapi::api::core::v1::ContainerStatus;
use todostack_crds::{Reason, api::JwtSpec};

use super::{Evidence, Finding, pods::Place, probes::FailedProbe, quote};
use crate::resources::jwks_ca;

/// What `todostack-api healthcheck --keys` prints before the error.
const NO_KEYS: &str = "no keys of the issuer yet: ";
/// Failures before another attempt of the API has failed too: the probe runs every 2 s, and the API tries
/// every 10 s.
const FIRST_ATTEMPT: i32 = 5;

/// The finding on what a failed startup probe printed.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    FailedProbe { message, times }: FailedProbe<'_>,
    evidence: Evidence<'_>,
) -> Option<Finding> {
    let (_, error) = message.split_once(NO_KEYS)?;
    let jwt = evidence.stack.api.jwt.as_ref().filter(|_| times >= FIRST_ATTEMPT)?;
    let error = quote::last_line(error)?;
    let problem = format!("starts, and has no keys of the tokens' issuer: {}", error.trim_end_matches('.'));
    let remedy = remedy(&error, jwt, &evidence.stack.id.namespace);
    Some(place.finding(container, Reason::JwksUnavailable, problem, remedy))
}

fn remedy(error: &str, jwt: &JwtSpec, namespace: &str) -> String {
    let has = |texts: &[&str]| texts.iter().any(|text| error.contains(text));
    if has(&["invalid peer certificate"]) {
        let create = |name: &str| {
            format!("kubectl -n {namespace} create configmap {name} --from-file={}", jwks_ca::KEY)
        };
        return match &jwt.jwks_ca {
            None => format!(
                "If the issuer has a private certificate authority, write its certificate to a ConfigMap: {}, and set spec.api.auth.jwt.jwksCa.configMap.name: issuer-ca",
                create("issuer-ca")
            ),
            Some(ca) => format!(
                "Write the certificate authority of the issuer to the ConfigMap: {} --dry-run=client -o yaml | kubectl -n {namespace} apply -f -",
                create(&ca.config_map.name)
            ),
        };
    }
    if has(&["dns error", "the response was 4", "failed to use the JWKS"]) {
        let issuer = jwt.issuer.trim_end_matches('/');
        return format!(
            "Set spec.api.auth.jwt.jwksUrl to the jwks_uri that the issuer publishes in {issuer}/.well-known/openid-configuration"
        );
    }
    "It continues without a change when the issuer responds. Check spec.api.auth.jwt.jwksUrl, and DNS, proxies, NetworkPolicies and firewalls between the API pods and the issuer".to_owned()
}

#[cfg(test)]
mod tests;
