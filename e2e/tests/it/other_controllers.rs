//! Other controllers on the objects of a stack: an autoscaler is left the replicas, and one that takes a
//! field again and again is reported.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Service};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use todostack_crds::{ConditionType, Reason};
use todostack_e2e::{
    namespace::with_namespace,
    stack::{READY_WITHIN, SOON, condition},
    wait,
};
use tokio::time::interval;

#[test]
fn an_autoscaler_is_left_the_replicas_of_the_deployment() -> Result<()> {
    with_namespace("autoscaled", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        // Without metrics, its controller only enforces the limits.
        let autoscaler = serde_json::from_value(json!({
            "metadata": {"name": "shop"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-api"},
                "minReplicas": 3, "maxReplicas": 3,
            },
        }))?;
        let autoscalers = namespace.api::<HorizontalPodAutoscaler>();
        autoscalers.create(&PostParams::default(), &autoscaler).await?;
        wait::eventually("3 of 3 ready", READY_WITHIN, async || {
            let stack = namespace.stacks().get("shop").await?;
            let api = stack.status.and_then(|status| status.api).context("no status of the API")?;
            ensure!(api.ready == "3/3", "{:?}", api.ready);
            Ok(())
        })
        .await?;
        let deployment = namespace.api::<Deployment>().get("shop-api").await?;
        assert_eq!(deployment.spec.and_then(|spec| spec.replicas), Some(3));
        Ok(())
    })
}

// Takes a label of the Service whenever it has another value.
async fn fight(services: Api<Service>) -> Result<()> {
    let parameters = PatchParams { field_manager: Some("fighter".to_owned()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({"metadata": {"labels": {"app.kubernetes.io/component": "other"}}}));
    let mut ticks = interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        services.patch("shop-api", &parameters, &patch).await?;
    }
}

#[test]
fn a_controller_that_takes_a_field_again_and_again_is_named() -> Result<()> {
    with_namespace("fight", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}, database: {sqlite: {}}}").await?;
        let reported = wait::eventually("FieldConflict reported", SOON, async || {
            let stack = namespace.stacks().get("shop").await?;
            let exposed = condition(&stack, ConditionType::Exposed).context("no condition")?;
            ensure!(exposed.reason == Reason::FieldConflict.as_str(), "{exposed:?}");
            Ok(exposed.message.clone())
        });
        let message = tokio::select! {
            message = reported => message?,
            failed = fight(namespace.api()) => return failed,
        };
        let expected = "fighter, which takes metadata.labels['app.kubernetes.io/component']";
        ensure!(message.contains(expected), "{message}");
        namespace.until_ready("shop").await.map(drop)
    })
}
