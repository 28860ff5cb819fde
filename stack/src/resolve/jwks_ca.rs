//! The ConfigMap with the certificate authority of the JWKS: whether it exists and has a certificate.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::user_secret::BEGIN;
use crate::{
    finding::Finding,
    observed::{Lookup, Observed},
    part::Part,
    resources::jwks_ca::KEY,
    stack_ref::StackRef,
};

pub(super) fn finding(id: &StackRef, observed: &Observed) -> Option<Finding> {
    let namespace = &id.namespace;
    let create = |name: &str| format!("kubectl -n {namespace} create configmap {name} --from-file={KEY}");
    match &observed.referenced.jwks_ca {
        Lookup::NotNamed => None,
        Lookup::Missing(name) => Some(
            Finding::new(Part::Api, Reason::ConfigMapNotFound, format!("ConfigMap {name}"))
                .problem("is referenced by spec.api.auth.jwt.jwksCa and does not exist")
                .remedy(format!("Create it: {}", create(name)))
                .evident_in_spec(),
        ),
        Lookup::Found(map) if has_certificate(map) => None,
        Lookup::Found(map) => {
            let name = map.name_any();
            let apply =
                format!("{} --dry-run=client -o yaml | kubectl -n {namespace} apply -f -", create(&name));
            Some(
                Finding::new(Part::Api, Reason::JwksCaInvalid, format!("ConfigMap {name}"))
                    .problem(format!("has no PEM certificate in its key {KEY}, from which the API pods read the certificate authority of spec.api.auth.jwt.jwksUrl"))
                    .remedy(format!("Set it: {apply}"))
                    .evident_in_spec()
                    .related(map.object_ref(&())),
            )
        }
    }
}

fn has_certificate(map: &ConfigMap) -> bool {
    let text = map.data.as_ref().and_then(|data| data.get(KEY));
    let bytes = || map.binary_data.as_ref().and_then(|data| data.get(KEY));
    text.is_some_and(|text| text.contains(BEGIN))
        || bytes().is_some_and(|bytes| String::from_utf8_lossy(&bytes.0).contains(BEGIN))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::resolved_from;

    const SPEC: &str = "{database: {sqlite: {}}, api: {auth: {jwt: {issuer: i, audience: a, \
        jwksUrl: 'https://i/keys', jwksCa: {configMap: {name: idp}}}}}}";

    fn found(jwks_ca: Lookup<ConfigMap>) -> Vec<(Part, Reason)> {
        let mut observed = Observed::default();
        observed.referenced.jwks_ca = jwks_ca;
        let stack = resolved_from(SPEC, &observed);
        stack.findings.iter().map(|finding| (finding.part, finding.reason)).collect()
    }

    #[test]
    fn a_missing_authority_is_reported() {
        assert_eq!(found(Lookup::Missing("idp".into())), [(Part::Api, Reason::ConfigMapNotFound)]);
    }

    #[rstest]
    #[case::pem(json!({"data": {"ca.crt": "-----BEGIN CERTIFICATE-----"}}), true)]
    #[case::bytes(json!({"binaryData": {"ca.crt": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"}}), true)]
    #[case::empty(json!({}), false)]
    #[case::another_key(json!({"data": {"tls.crt": "-----BEGIN CERTIFICATE-----"}}), false)]
    #[case::a_private_key(json!({"data": {"ca.crt": "-----BEGIN PRIVATE KEY-----"}}), false)]
    fn an_authority_without_a_certificate_is_reported(#[case] data: Value, #[case] is_valid: bool) {
        let map = Lookup::Found(serde_json::from_value(data).unwrap());
        let expected = [(Part::Api, Reason::JwksCaInvalid)];
        assert_eq!(found(map), if is_valid { &expected[..0] } else { &expected[..] });
    }
}
