//! Objects that admission rejects, by quota, limit range, policy, webhook and Pod Security.

use anyhow::Result;
use k8s_openapi::api::{admissionregistration::v1::ValidatingWebhookConfiguration, core::v1::LimitRange};
use kube::api::PostParams;
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    admission_policy::{AdmissionPolicy, pods_of, rejects},
    cluster_objects::with_object,
    namespace::{Namespace, with_namespace},
    remedy::Step,
    symptom::Symptom,
};

// Fails unless the stack's pods are rejected for this reason.
async fn ensure_rejected(namespace: &Namespace, reason: Reason, mention: &str) -> Result<String> {
    let symptom = Symptom::DeploymentCondition("FailedCreate");
    let watch = namespace.apply_and_watch_for("shop", "{database: {sqlite: {}}}", symptom).await?;
    watch.diagnosed_as(reason, mention).await
}

#[test]
fn an_exceeded_quota_is_reported() -> Result<()> {
    with_namespace("quota", async |namespace| {
        namespace.kubectl(&["create", "quota", "small", "--hard=pods=0"]).await?;
        ensure_rejected(namespace, Reason::QuotaExceeded, "small").await?;
        let raised = r#"{"spec": {"hard": {"pods": "2"}}}"#;
        namespace.kubectl(&["patch", "quota", "small", "--patch", raised]).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn a_violated_limit_range_is_reported() -> Result<()> {
    with_namespace("limits", async |namespace| {
        let range: LimitRange = serde_json::from_value(json!({
            "metadata": {"name": "small"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]},
        }))?;
        namespace.api::<LimitRange>().create(&PostParams::default(), &range).await?;
        let message = ensure_rejected(namespace, Reason::LimitRangeViolated, "64Mi").await?;
        let limit = Step::Set("spec.api.resources", Some("{limits: {memory: 64Mi}}"));
        namespace.follow("shop", &message, limit).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn an_admission_webhook_that_does_not_answer_is_reported_and_the_rest_goes_on() -> Result<()> {
    with_namespace("webhook", async |namespace| {
        let name = &namespace.name;
        let webhook = json!({
            "name": "absent.example.com",
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": name, "name": "absent"}},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
            "rules": [{"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"], "resources": ["ingresses"]}],
        });
        let configuration: ValidatingWebhookConfiguration =
            serde_json::from_value(json!({"metadata": {"name": name}, "webhooks": [webhook]}))?;
        with_object(&namespace.cluster.api(), &configuration, async || {
            let spec = format!("{{database: {{sqlite: {{}}}}, exposure: {{host: {name}.localhost}}}}");
            namespace.apply("shop", &spec).await?;
            namespace.until_not_ready("shop", Reason::ApplyFailed, "absent.example.com").await.map(drop)
        })
        .await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn the_message_of_a_policy_that_rejects_pods_is_reported() -> Result<()> {
    with_namespace("policy", async |namespace| {
        let policy = AdmissionPolicy {
            kind: "ValidatingAdmissionPolicy",
            spec: json!({
                "matchConstraints": pods_of(namespace),
                "validations": [{
                    "expression": "has(object.metadata.labels) && 'team' in object.metadata.labels",
                    "message": "pods need a team",
                }],
            }),
            binding: json!({"policyName": namespace.name, "validationActions": ["Deny"]}),
        };
        let message = "pods need a team";
        let test = async || {
            ensure_rejected(namespace, Reason::ApplyRejected, message).await?;
            // As the policy demands.
            namespace
                .apply("shop", "{api: {podMetadata: {labels: {team: shop}}}, database: {sqlite: {}}}")
                .await?;
            namespace.until_ready("shop").await.map(drop)
        };
        policy.while_in_force(namespace, rejects(message), test).await
    })
}

// The operator's pods comply with `restricted`, until something else changes them, such as a sidecar
// injector.
#[test]
fn a_mutated_pod_that_violates_pod_security_is_reported() -> Result<()> {
    with_namespace("security", async |namespace| {
        let expression = "Object{spec: Object.spec{hostNetwork: true}}";
        let mutation =
            json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}});
        let policy = AdmissionPolicy {
            kind: "MutatingAdmissionPolicy",
            spec: json!({
                "matchConstraints": pods_of(namespace),
                "failurePolicy": "Fail",
                "reinvocationPolicy": "IfNeeded",
                "mutations": [mutation],
            }),
            binding: json!({"policyName": namespace.name}),
        };
        let test =
            async || ensure_rejected(namespace, Reason::PodSecurityViolated, "restricted").await.map(drop);
        policy.while_in_force(namespace, rejects("host namespaces"), test).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
