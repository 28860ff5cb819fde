//! Errors of the operator itself that are reported on the stack: it may not read an object, or it cannot read
//! the stack. Writes that are rejected are in `admission.rs`.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    api::rbac::v1::ClusterRole,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use todostack_crds::{ConditionType, TodoStack};
use todostack_e2e::{
    cluster::{CRD, OPERATOR},
    namespace::{Namespace, with_namespace_alone},
    stack::{SOON, condition, manifest},
    wait,
};

// Runs a test while the operator may not read ConfigMaps, which only stacks with init scripts need.
async fn without_permission(namespace: &Namespace, test: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let roles = namespace.cluster.api::<ClusterRole>();
    let role = roles.get(OPERATOR).await?;
    let is_of_config_maps = |resources: &Option<Vec<String>>| {
        resources.as_ref().is_some_and(|it| it.iter().any(|resource| resource == "configmaps"))
    };
    let all = role.rules.clone().unwrap_or_default();
    let others: Vec<_> = all.clone().into_iter().filter(|rule| !is_of_config_maps(&rule.resources)).collect();
    let set = async |rules: Value| {
        let patch = Patch::Merge(json!({"rules": rules}));
        roles.patch(OPERATOR, &PatchParams::default(), &patch).await
    };
    set(json!(others)).await?;
    let outcome = test().await;
    set(json!(all)).await?;
    outcome
}

#[test]
fn an_object_that_the_operator_may_not_read_is_reported() -> Result<()> {
    with_namespace_alone("denied", async |namespace| {
        namespace.kubectl(&["create", "configmap", "seed", "--from-literal=a.sql=select 1"]).await?;
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        without_permission(namespace, async || {
            let spec = "{api: {replicas: 1}, database: {postgres: {initScripts: {configMap: {name: seed}}}}}";
            let edited = namespace.apply("shop", spec).await?;
            let is_reported = |stack: Option<&TodoStack>| {
                let reconciling = stack.and_then(|stack| condition(stack, ConditionType::Reconciling));
                reconciling.is_some_and(|it| it.status == "True" && it.reason == "ObserveFailed")
            };
            let stack = wait::until(&namespace.stacks(), "shop", "reported", SOON, is_reported).await?;
            let stack = stack.context("no stack")?;
            let message = condition(&stack, ConditionType::Reconciling).map(|it| it.message.clone());
            ensure!(message.as_ref().is_some_and(|it| it.contains("ConfigMap seed")), "{message:?}");
            let observed = stack.status.and_then(|status| status.observed_generation);
            ensure!(observed < edited.metadata.generation, "the spec was not processed");
            namespace.event("shop", "ObserveFailed").await.map(drop)
        })
        .await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// Runs a test while the CRD allows a value that this version of the operator does not know.
async fn with_newer_crd(namespace: &Namespace, test: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let crds = namespace.cluster.api::<CustomResourceDefinition>();
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/deletionPolicy/enum";
    let set = async |values: &[&str]| {
        let operations = json!([{"op": "replace", "path": path, "value": values}]);
        let operations = Patch::<()>::Json(serde_json::from_value(operations)?);
        crds.patch(CRD, &PatchParams::default(), &operations).await?;
        Ok::<_, anyhow::Error>(())
    };
    set(&["Retain", "Delete", "Archive"]).await?;
    let outcome = test().await;
    set(&["Retain", "Delete"]).await?;
    outcome
}

#[test]
fn a_stack_that_the_operator_cannot_read_is_reported() -> Result<()> {
    with_namespace_alone("newer", async |namespace| {
        with_newer_crd(namespace, async || {
            let resource = ApiResource::erase::<TodoStack>(&());
            let stacks: Api<DynamicObject> =
                Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &resource);
            let apply = async |policy: &str| {
                let spec = format!("{{deletionPolicy: {policy}, database: {{sqlite: {{}}}}}}");
                let patch = Patch::Apply(manifest("shop", &spec)?);
                wait::eventually("accepted", SOON, async || {
                    Ok(stacks.patch("shop", &PatchParams::apply("e2e").force(), &patch).await?)
                })
                .await
            };
            apply("Archive").await?;
            wait::eventually("reported", SOON, async || {
                let stack = stacks.get("shop").await?;
                let conditions = stack.data.pointer("/status/conditions").and_then(Value::as_array);
                let reasons: Vec<_> = conditions
                    .context("no conditions")?
                    .iter()
                    .filter(|it| it["reason"] == "SpecInvalid")
                    .map(|it| format!("{}={}", it["type"], it["status"]))
                    .collect();
                ensure!(
                    reasons == ["\"Ready\"=\"False\"", "\"Reconciling\"=\"False\"", "\"Stalled\"=\"True\""],
                    "{reasons:?}"
                );
                Ok(())
            })
            .await?;
            namespace.event("shop", "SpecInvalid").await?;
            apply("Retain").await?;
            namespace.until_ready("shop").await.map(drop)
        })
        .await
    })
}
