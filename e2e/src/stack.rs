//! Applying stacks and reading their conditions. The todo API that they serve is `todos.rs`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::{api::core::v1::PersistentVolumeClaim, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::Value;
use todostack_crds::{ConditionType, Reason, TodoStack};

use crate::{namespace::Namespace, wait};

// Enough for the slowest node of the test cluster. Benchmarks measure the speed, tests do not.
pub const READY_WITHIN: Duration = Duration::from_mins(3);
// From the correction of a spec that a pod of the database could not run with.
pub const HEALED_WITHIN: Duration = Duration::from_mins(1);
// For what needs no new pod.
pub const SOON: Duration = Duration::from_secs(30);

impl Namespace {
    pub fn stacks(&self) -> Api<TodoStack> {
        self.api()
    }

    // Applies a stack whose `spec` is given as YAML.
    pub async fn apply(&self, name: &str, spec: &str) -> Result<TodoStack> {
        let patch = Patch::Apply(manifest(name, spec)?);
        let applied = self.stacks().patch(name, &PatchParams::apply("e2e").force(), &patch).await;
        applied.with_context(|| format!("failed to apply TodoStack {name}"))
    }

    pub async fn apply_and_wait(&self, name: &str, spec: &str) -> Result<TodoStack> {
        self.apply(name, spec).await?;
        self.until_ready(name).await
    }

    // Waits until the stack is Ready for its current generation.
    pub async fn until_ready(&self, name: &str) -> Result<TodoStack> {
        self.until_ready_within(READY_WITHIN, name).await
    }

    pub async fn until_ready_within(&self, deadline: Duration, name: &str) -> Result<TodoStack> {
        match wait::until(&self.stacks(), name, "Ready", deadline, is_ready).await {
            Ok(Some(stack)) => Ok(stack),
            Ok(None) => bail!("{name} does not exist"),
            Err(error) => Err(match self.stacks().get_opt(name).await? {
                Some(stack) => error.context(describe(&stack)),
                None => error,
            }),
        }
    }

    // Waits until the stack's Ready is False for this reason, and returns the message, which must contain
    // `mention`. How soon it must be reported is checked in `symptom.rs`.
    pub async fn until_not_ready(&self, name: &str, reason: Reason, mention: &str) -> Result<String> {
        self.until_not_ready_within(SOON * 2, name, reason, mention).await
    }

    pub(crate) async fn until_not_ready_within(
        &self,
        deadline: Duration,
        name: &str,
        reason: Reason,
        mention: &str,
    ) -> Result<String> {
        let has_reason = |stack: Option<&TodoStack>| {
            stack
                .and_then(|stack| condition(stack, ConditionType::Ready))
                .is_some_and(|ready| ready.status == "False" && ready.reason == reason.as_str())
        };
        match wait::until(&self.stacks(), name, reason.as_str(), deadline, has_reason).await {
            Ok(Some(stack)) => {
                let message = condition(&stack, ConditionType::Ready).map(|it| it.message.clone());
                let message = message.unwrap_or_default();
                ensure!(message.contains(mention), "{name}: {reason:?} without `{mention}`: {message}");
                Ok(message)
            }
            Ok(None) => bail!("{name} does not exist"),
            Err(error) => Err(error.context(describe(&self.stacks().get(name).await?))),
        }
    }

    pub async fn delete_and_wait(&self, name: &str) -> Result<()> {
        self.stacks().delete(name, &DeleteParams::default()).await?;
        wait::until_deleted(&self.stacks(), name, SOON * 2).await
    }

    // Name of the PersistentVolume that a PersistentVolumeClaim is bound to.
    pub async fn bound_volume(&self, claim: &str) -> Result<String> {
        let claim = self.api::<PersistentVolumeClaim>().get(claim).await?;
        claim.spec.and_then(|spec| spec.volume_name).context("the PersistentVolumeClaim is not bound")
    }
}

// A manifest from the YAML of its `spec`.
pub fn manifest(name: &str, spec: &str) -> Result<Value> {
    let spec: Value = serde_saphyr::from_str(spec).context("failed to read the spec")?;
    Ok(serde_json::json!({
        "apiVersion": "todostack.dev/v1alpha1",
        "kind": "TodoStack",
        "metadata": {"name": name},
        "spec": spec,
    }))
}
pub fn condition(stack: &TodoStack, type_: ConditionType) -> Option<&Condition> {
    stack.status.as_ref()?.conditions.iter().find(|it| it.type_ == type_.as_str())
}

fn is_ready(stack: Option<&TodoStack>) -> bool {
    stack.is_some_and(|stack| {
        condition(stack, ConditionType::Ready).is_some_and(|ready| {
            ready.status == "True" && ready.observed_generation == stack.metadata.generation
        })
    })
}

fn describe(stack: &TodoStack) -> String {
    match condition(stack, ConditionType::Ready) {
        Some(ready) => {
            format!("{}: Ready={} {}: {}", stack.name_any(), ready.status, ready.reason, ready.message)
        }
        None => format!("{} has no Ready condition", stack.name_any()),
    }
}
