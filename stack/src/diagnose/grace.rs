//! The grace for objects that another controller creates, such as cert-manager or the External Secrets
//! Operator: until it is over, their absence does not make the stack `Stalled`, which `helm install --wait`
//! and Flux report as a failure at once.

use jiff::SignedDuration;
use todostack_crds::Reason;

use super::{Evidence, Finding};
use crate::{finding::Severity, part::Part};

/// Longer than cert-manager takes for a certificate by ACME, and than a synchronization of Secrets.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Makes the absence of such objects transient, counted from when the condition of their part became false.
/// What is built stays decided by the spec's own findings: nothing starts without them.
pub(super) fn apply(findings: &mut [Finding], evidence: Evidence<'_>) {
    for finding in findings.iter_mut().filter(|finding| is_awaited(finding)) {
        let since = evidence.stack.false_since(finding.part.condition()).unwrap_or(evidence.now);
        if evidence.now.duration_since(since) < GRACE {
            finding.severity = Severity::Transient;
        }
    }
}

fn is_awaited(finding: &Finding) -> bool {
    // What the spec references. A Secret that a container lacks is the operator's own.
    let is_reference = matches!(
        (finding.part, finding.reason),
        (Part::Credentials, Reason::SecretNotFound)
            | (Part::Database | Part::Api, Reason::ConfigMapNotFound)
            | (Part::Exposure, Reason::TlsSecretNotFound)
    );
    is_reference && finding.severity == Severity::Blocking
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use rstest::rstest;
    use todostack_crds::TodoStackStatus;

    use super::super::diagnose;
    use super::*;
    use crate::{
        applied::Applied,
        fixtures::{now, resolved_at, todostack},
        observed::{Lookup, Observed},
    };

    const TLS: &str =
        "{database: {sqlite: {}}, exposure: {host: h, ingress: {className: c, tls: {secretName: x}}}}";
    const EXTERNAL: &str = "{database: {external: {secret: {name: x}}}}";
    const CREDENTIALS: &str = "{database: {postgres: {credentialsSecret: {name: x}}}}";
    const KEYS: &str = "{database: {sqlite: {}}, api: {auth: {jwt: {issuer: i, audience: a, \
        jwksUrl: 'https://i/keys', jwksCa: {configMap: {name: x}}}}}}";
    const SCRIPTS: &str = "{database: {postgres: {initScripts: {configMap: {name: x}}}}}";

    fn missing() -> Observed {
        let mut observed = Observed::default();
        let name = || "x".to_owned();
        observed.referenced.tls = Lookup::Missing(name());
        observed.referenced.external = Lookup::Missing(name());
        observed.referenced.credentials = Lookup::Missing(name());
        observed.referenced.init_scripts = Lookup::Missing(name());
        observed.referenced.jwks_ca = Lookup::Missing(name());
        observed
    }

    #[rstest]
    fn an_absent_object_stalls_the_stack_after_five_minutes(
        #[values(
            (TLS, Part::Exposure, Reason::TlsSecretNotFound),
            (EXTERNAL, Part::Credentials, Reason::SecretNotFound),
            (CREDENTIALS, Part::Credentials, Reason::SecretNotFound),
            (SCRIPTS, Part::Database, Reason::ConfigMapNotFound),
            (KEYS, Part::Api, Reason::ConfigMapNotFound)
        )]
        case: (&str, Part, Reason),
        #[values(
            (None, Severity::Transient),
            (Some(("False", 0)), Severity::Transient),
            (Some(("False", 299)), Severity::Transient),
            (Some(("False", 300)), Severity::Blocking),
            (Some(("True", 300)), Severity::Transient)
        )]
        condition: (Option<(&str, i64)>, Severity),
    ) {
        let (spec, part, reason) = case;
        let (condition, severity) = condition;
        let mut todostack = todostack(spec);
        let conditions = condition.map(|(status, seconds)| Condition {
            type_: part.condition().as_str().into(),
            status: status.into(),
            reason: reason.as_str().into(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(now() - SignedDuration::from_secs(seconds)),
        });
        todostack.status = Some(TodoStackStatus {
            conditions: conditions.into_iter().collect(),
            ..TodoStackStatus::default()
        });
        let observed = missing();
        let stack = resolved_at(&todostack, &observed, now());
        let applied = Applied::default();
        let found = diagnose(Evidence { stack: &stack, observed: &observed, applied: &applied, now: now() });
        let is_it = |finding: &&Finding| (finding.part, finding.reason) == (part, reason);
        let finding = found.iter().find(is_it).unwrap();
        assert_eq!((finding.part, finding.severity), (part, severity));
    }
}
