//! Applying stacks and reading what the operator says of them; what they serve is `todos.rs`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::Value;
use todostack_crds::{ConditionType, Reason, TodoStack};

use crate::{namespace::Namespace, wait};

/// Long enough for the slowest of the cluster's nodes; how fast it is, is a matter of benchmarks.
pub const READY_WITHIN: Duration = Duration::from_mins(3);
/// For what takes no pod.
pub const SOON: Duration = Duration::from_secs(30);

impl Namespace {
    /// The stacks of this namespace.
    #[must_use]
    pub fn stacks(&self) -> Api<TodoStack> {
        self.api()
    }

    /// Applies a stack whose `spec` is given as YAML.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn apply(&self, name: &str, spec: &str) -> Result<TodoStack> {
        let patch = Patch::Apply(manifest(name, spec)?);
        let applied = self.stacks().patch(name, &PatchParams::apply("e2e").force(), &patch).await;
        applied.with_context(|| format!("failed to apply TodoStack {name}"))
    }

    /// Waits until the stack is Ready, and what is said of it is said of its present spec.
    ///
    /// # Errors
    /// It is not at the deadline; the error has its last Ready condition.
    pub async fn ready(&self, name: &str) -> Result<TodoStack> {
        let waited = wait::until(&self.stacks(), name, ("Ready", READY_WITHIN), is_ready).await;
        match waited {
            Ok(Some(stack)) => Ok(stack),
            Ok(None) => bail!("{name} is gone"),
            Err(error) => Err(match self.stacks().get_opt(name).await? {
                Some(stack) => error.context(describe(&stack)),
                None => error,
            }),
        }
    }

    /// Waits until the stack says that it is not Ready for this reason, and gives the message back, which has to name
    /// something. How soon it is said is a matter of `symptom.rs`.
    ///
    /// # Errors
    /// It says something else at the deadline, or does not name it; the error has what it says.
    pub async fn blocked_by(&self, name: &str, reason: Reason, named: &str) -> Result<String> {
        self.says(name, (reason, named), SOON * 2).await
    }

    pub(crate) async fn says(
        &self,
        name: &str,
        (reason, named): (Reason, &str),
        within: Duration,
    ) -> Result<String> {
        let says = |found: Option<&TodoStack>| {
            found
                .and_then(|stack| condition(stack, ConditionType::Ready))
                .is_some_and(|ready| ready.status == "False" && ready.reason == reason.as_str())
        };
        match wait::until(&self.stacks(), name, (reason.as_str(), within), says).await {
            Ok(Some(stack)) => {
                let message = condition(&stack, ConditionType::Ready).map(|it| it.message.clone());
                let message = message.unwrap_or_default();
                ensure!(message.contains(named), "{name}: {reason:?} without `{named}`: {message}");
                Ok(message)
            }
            Ok(None) => bail!("{name} is gone"),
            Err(error) => Err(error.context(describe(&self.stacks().get(name).await?))),
        }
    }

    /// Deletes the stack and waits until it is gone.
    ///
    /// # Errors
    /// It is still there at the deadline.
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.stacks().delete(name, &DeleteParams::default()).await?;
        wait::until(&self.stacks(), name, ("gone", SOON * 2), |found: Option<&TodoStack>| found.is_none())
            .await?;
        Ok(())
    }
}

/// A manifest from the YAML of its `spec`.
///
/// # Errors
/// It is not YAML.
pub fn manifest(name: &str, spec: &str) -> Result<Value> {
    let spec: Value = serde_saphyr::from_str(spec).context("failed to read the spec")?;
    Ok(serde_json::json!({
        "apiVersion": "todostack.dev/v1alpha1",
        "kind": "TodoStack",
        "metadata": {"name": name},
        "spec": spec,
    }))
}

/// The condition of that type.
#[must_use]
pub fn condition(stack: &TodoStack, type_: ConditionType) -> Option<&Condition> {
    stack.status.as_ref()?.conditions.iter().find(|it| it.type_ == type_.as_str())
}

/// Whether a stack is Ready, said of its present spec.
#[must_use]
pub fn is_ready(found: Option<&TodoStack>) -> bool {
    found.is_some_and(|stack| {
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
        None => format!("{}: has no Ready condition", stack.name_any()),
    }
}
