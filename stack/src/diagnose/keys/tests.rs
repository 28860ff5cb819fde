//! Findings on API pods that have no keys of the tokens' issuer.

use std::sync::Arc;

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{
    applied::Applied,
    diagnose::diagnose,
    finding::Severity,
    fixtures::{now, resolved_from},
    observed::{Lookup, Observed},
    part::Part,
};

const PREFIX: &str = "Startup probe failed: todostack-api: ";

// A pod whose container has started a minute ago, and the Event of its probe.
fn starting(message: &str, times: i32) -> Observed {
    let ago = |seconds| (now() - SignedDuration::from_secs(seconds)).to_string();
    let labels = json!({"app.kubernetes.io/component": "api", "todostack.dev/stack": "shop"});
    let status = json!({"containerStatuses": [{
        "name": "api", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "started": false,
        "state": {"running": {"startedAt": ago(60)}},
    }]});
    let metadata = json!({"name": "p", "namespace": "shops", "uid": "7", "labels": labels});
    let pod = json!({"metadata": metadata, "status": status});
    let event = json!({
        "metadata": {}, "reason": "Unhealthy", "count": times, "lastTimestamp": ago(1),
        "message": format!("{PREFIX}{message}\n"), "involvedObject": {"kind": "Pod", "uid": "7"},
    });
    let claim = json!({"metadata": {"name": "shop-db"}, "status": {"phase": "Bound"}});
    Observed {
        pods: vec![Arc::new(serde_json::from_value(pod).unwrap())],
        claim: Some(Arc::new(serde_json::from_value(claim).unwrap())),
        events: vec![serde_json::from_value(event).unwrap()],
        ..Observed::default()
    }
}

fn spec(ca: &str) -> String {
    format!(
        "{{database: {{sqlite: {{}}}}, api: {{auth: {{jwt: {{issuer: 'https://id/', audience: a, \
           jwksUrl: 'https://id/keys'{ca}}}}}}}}}"
    )
}

fn found(spec: &str, observed: &Observed) -> Vec<Finding> {
    let stack = resolved_from(spec, observed);
    let applied = Applied::default();
    let findings = diagnose(Evidence { stack: &stack, observed, applied: &applied, now: now() });
    findings.into_iter().filter(|finding| finding.part == Part::Api).collect()
}

#[rstest]
#[case::not_found("the response was 404 Not Found", "spec.api.auth.jwt.jwksUrl to the jwks_uri")]
#[case::unknown_name(
    "client error (Connect): dns error: failed to lookup address information: Name or service not known",
    "https://id/.well-known/openid-configuration"
)]
#[case::refused(
    "client error (Connect): tcp connect error: Connection refused (os error 111)",
    "It continues without a change when the issuer responds"
)]
#[case::overloaded("the response was 503 Service Unavailable", "It continues without a change")]
#[case::silent("no response within 5 s", "It continues without a change")]
#[case::private_authority(
    "client error (Connect): invalid peer certificate: UnknownIssuer",
    "kubectl -n shops create configmap issuer-ca --from-file=ca.crt, and set spec.api.auth.jwt.jwksCa"
)]
fn keys_that_cannot_be_fetched_are_reported_with_url_error_and_remedy(
    #[case] why: &str,
    #[case] remedy: &str,
) {
    let error = format!("failed to fetch the JWKS from https://id/keys: {why}");
    let observed = starting(&format!("no keys of the issuer yet: {error}"), 6);
    let findings = found(&spec(""), &observed);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((finding.reason, finding.severity), (Reason::JwksUnavailable, Severity::Transient));
    assert!(finding.problem.ends_with(&error), "{}", finding.problem);
    assert!(finding.remedy.contains(remedy), "{}", finding.remedy);
}

#[test]
fn an_authority_that_is_set_is_to_be_corrected() {
    let error = "failed to fetch the JWKS from https://id/keys: invalid peer certificate: UnknownIssuer";
    let mut observed = starting(&format!("no keys of the issuer yet: {error}"), 6);
    let map = json!({"metadata": {"name": "idp"}, "data": {"ca.crt": "-----BEGIN CERTIFICATE-----"}});
    observed.referenced.jwks_ca = Lookup::Found(serde_json::from_value(map).unwrap());
    let findings = found(&spec(", jwksCa: {configMap: {name: idp}}"), &observed);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(
        finding.remedy.contains("create configmap idp --from-file=ca.crt --dry-run"),
        "{}",
        finding.remedy
    );
}

#[rstest]
#[case::first_attempt("no keys of the issuer yet: the response was 404 Not Found", 4)]
#[case::not_listening("http://127.0.0.1:9090/readyz is not ready: Connection refused", 1)]
fn a_pod_that_only_starts_has_no_finding(#[case] message: &str, #[case] times: i32) {
    assert_eq!(found(&spec(""), &starting(message, times)), []);
}
