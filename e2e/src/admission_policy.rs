//! Policies of the API server that reject or change the pods of a test's namespace, as a company's policies
//! and sidecar injectors do.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
};
use serde_json::{Value, json};

use crate::{cluster_objects::with_object, namespace::Namespace, stack::SOON, wait};

// A policy, which is named after the test's namespace because it is not namespaced.
pub struct AdmissionPolicy {
    pub kind: &'static str,
    pub spec: Value,
    pub binding: Value,
}

pub fn pods_of(namespace: &Namespace) -> Value {
    json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
        "resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
        ],
    })
}

// Whether the API server rejects a pod with this message.
pub fn rejects(message: &str) -> impl Fn(kube::Result<Pod>) -> Result<()> {
    move |created| {
        let error = created.err().context("the pod was admitted")?;
        ensure!(error.to_string().contains(message), "{error}");
        Ok(())
    }
}

impl AdmissionPolicy {
    // Adds to pods of migrations: `value`, a CEL expression, at this path. A JSON patch, because an apply
    // configuration cannot have atomic lists such as `command`.
    pub fn adding_to_migrations(namespace: &Namespace, path: &str, value: &str) -> Self {
        let expression = format!("[JSONPatch{{op: 'add', path: '{path}', value: {value}}}]");
        let is_migration = "has(object.metadata.labels) \
                            && object.metadata.labels[?'app.kubernetes.io/component'].orValue('') == 'migration'";
        Self {
            kind: "MutatingAdmissionPolicy",
            spec: json!({
                "matchConstraints": pods_of(namespace),
                "matchConditions": [{"name": "migration", "expression": is_migration}],
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
            }),
            binding: json!({"policyName": namespace.name}),
        }
    }

    // Runs a test once the policy has this effect on a pod of a migration that complies with `restricted`.
    pub async fn while_in_force(
        self,
        namespace: &Namespace,
        has_effect: impl Fn(kube::Result<Pod>) -> Result<()>,
        test: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<()> {
        let (policies, policy) = policy_object(namespace, self.kind, &self.spec);
        let (bindings, binding) = policy_object(namespace, &format!("{}Binding", self.kind), &self.binding);
        with_object(&policies, &policy, async || {
            with_object(&bindings, &binding, async || {
                let probe = async || has_effect(dry_run(namespace).await?);
                wait::eventually("in force", SOON, probe).await?;
                test().await
            })
            .await
        })
        .await
    }
}

fn policy_object(namespace: &Namespace, kind: &str, spec: &Value) -> (Api<DynamicObject>, DynamicObject) {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind));
    let object = DynamicObject::new(&namespace.name, &resource).data(json!({"spec": spec}));
    (Api::all_with(namespace.cluster.client.clone(), &resource), object)
}

// What the API server answers to the creation of a pod, which it does not store.
async fn dry_run(namespace: &Namespace) -> Result<kube::Result<Pod>> {
    let seccomp = json!({"type": "RuntimeDefault"});
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "probe", "labels": {"app.kubernetes.io/component": "migration"}},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": seccomp},
            "containers": [{
                "name": "probe", "image": "localhost/probe:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    }))?;
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    Ok(namespace.api::<Pod>().create(&dry_run, &pod).await)
}
