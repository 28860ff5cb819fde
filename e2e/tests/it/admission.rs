//! Pods that the cluster does not take, each for its own reason.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{LimitRange, Pod};
use kube::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams},
};
use serde_json::{Value, json};
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    stack::SOON,
    symptom::Symptom,
    wait,
};

const SPEC: &str = "{database: {sqlite: {}}}";

#[tokio::test]
async fn a_quota_that_is_used_up_is_named() -> Result<()> {
    with_namespace("quota", async |namespace| {
        namespace.kubectl(&["create", "quota", "small", "--hard=pods=0"]).await?;
        let cause = (Reason::QuotaExceeded, "small");
        namespace.apply_and_see(("shop", SPEC), Symptom::Condition("FailedCreate"), cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_limit_range_that_is_too_small_is_named() -> Result<()> {
    with_namespace("limits", async |namespace| {
        let range: LimitRange = serde_json::from_value(json!({
            "metadata": {"name": "small"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "11Mi"}}]},
        }))?;
        namespace.api::<LimitRange>().create(&PostParams::default(), &range).await?;
        let cause = (Reason::LimitRangeViolated, "11Mi");
        namespace.apply_and_see(("shop", SPEC), Symptom::Condition("FailedCreate"), cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_policy_that_denies_pods_is_named_in_its_own_words() -> Result<()> {
    with_namespace("policy", async |namespace| {
        let policy = Policy {
            kind: "ValidatingAdmissionPolicy",
            spec: json!({
                "matchConstraints": matched(namespace),
                "validations": [{"expression": "false", "message": "pods need a cost centre"}],
            }),
            binding: json!({"validationActions": ["Deny"]}),
        };
        policy
            .while_in_force(namespace, "pods need a cost centre", async || {
                let cause = (Reason::ApplyRejected, "pods need a cost centre");
                let symptom = Symptom::Condition("FailedCreate");
                namespace.apply_and_see(("shop", SPEC), symptom, cause).await.map(drop)
            })
            .await
    })
    .await
}

/// The operator's pods keep `restricted`; what breaks it is what others put into them, as sidecar injectors do.
#[tokio::test]
async fn a_pod_that_was_made_to_violate_pod_security_is_named() -> Result<()> {
    with_namespace("security", async |namespace| {
        let expression = "Object{spec: Object.spec{hostNetwork: true}}";
        let policy = Policy {
            kind: "MutatingAdmissionPolicy",
            spec: json!({
                "matchConstraints": matched(namespace),
                "failurePolicy": "Fail",
                "reinvocationPolicy": "IfNeeded",
                "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}],
            }),
            binding: json!({}),
        };
        policy
            .while_in_force(namespace, "host namespaces", async || {
                let cause = (Reason::PodSecurityViolated, "restricted");
                let symptom = Symptom::Condition("FailedCreate");
                namespace.apply_and_see(("shop", SPEC), symptom, cause).await.map(drop)
            })
            .await
    })
    .await
}

fn matched(namespace: &Namespace) -> Value {
    json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
        "resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
        ],
    })
}

/// A policy of the API server's own, which belongs to no namespace.
struct Policy {
    kind: &'static str,
    spec: Value,
    binding: Value,
}

impl Policy {
    /// Runs a test while the policy is in force, which is when a pod is refused with `words`.
    async fn while_in_force(
        mut self,
        namespace: &Namespace,
        words: &str,
        test: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<()> {
        let name = &namespace.name;
        let (policies, bindings) =
            (objects(namespace, self.kind), objects(namespace, &format!("{}Binding", self.kind)));
        let object = |kind: &ApiResource, spec: &Value| {
            let value = json!({
                "apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "spec": spec,
            });
            serde_json::from_value::<DynamicObject>(value)
        };
        if let Some(binding) = self.binding.as_object_mut() {
            binding.insert("policyName".to_owned(), json!(name));
        }
        let (policy, binding) = (object(&policies.1, &self.spec)?, object(&bindings.1, &self.binding)?);
        policies.0.create(&PostParams::default(), &policy).await.context("failed to create the policy")?;
        let outcome = async {
            bindings.0.create(&PostParams::default(), &binding).await.context("failed to bind the policy")?;
            wait::eventually("in force", SOON, async || is_in_force(namespace, words).await).await?;
            test().await
        }
        .await;
        policies.0.delete(name, &DeleteParams::default()).await?;
        // It is not there when binding failed; then that is what is told.
        let unbound = bindings.0.delete(name, &DeleteParams::default()).await;
        outcome?;
        unbound.map(drop).context("failed to remove the binding")
    }
}

fn objects(namespace: &Namespace, kind: &str) -> (Api<DynamicObject>, ApiResource) {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind));
    (Api::all_with(namespace.cluster.client.clone(), &resource), resource)
}

/// Whether a pod that keeps `restricted` is refused with these words.
async fn is_in_force(namespace: &Namespace, words: &str) -> Result<()> {
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "probe"},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "probe", "image": "localhost/probe:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    }))?;
    let asked = PostParams { dry_run: true, ..PostParams::default() };
    let refused = namespace.api::<Pod>().create(&asked, &pod).await.err().context("it was let in")?;
    ensure!(refused.to_string().contains(words), "{refused}");
    Ok(())
}
