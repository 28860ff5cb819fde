//! The demo stack of examples/demo: applies it, waits until it is Ready, calls it through the Ingress.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::wait::{self, Probe};
use todostack_testbed::{process, progress};

use crate::repository;

/// The address of the demo for browsers and curl.
pub(crate) const URL: &str = "http://todolist.localhost:8080/todos";
const HOST: &str = "todolist.localhost:8080";
/// The address for other programs, which may not resolve names under localhost.
const ADDRESS: &str = "http://127.0.0.1:8080/todos";
const NAMESPACE: &str = "todo";
const NAME: &str = "demo";

/// The part of a TodoStack that is read here.
#[derive(Debug, Default, Deserialize)]
struct Stack {
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default)]
    api: Api,
}

#[derive(Debug, Default, Deserialize)]
struct Api {
    #[serde(default)]
    image: String,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
    message: String,
}

/// Applies the demo and waits until it is Ready with the API's `image`, printing each new reason.
pub(crate) fn apply(cluster: &ClusterTools, image: &str) -> anyhow::Result<()> {
    progress::step("Applying the demo stack", "20 s until Ready", || {
        let folder = repository::root().join("examples/demo");
        process::run(cluster.kubectl().args(["apply", "--server-side", "-f"]).arg(folder))?;
        let mut shown = String::new();
        let waited = wait::until("the demo stack to become Ready", Duration::from_mins(5), || {
            let (ready, message) = readiness(cluster, image);
            if message != shown {
                progress::detail(&message);
                shown.clone_from(&message);
            }
            if ready { Probe::Done(()) } else { Probe::NotYet(message) }
        });
        waited.with_context(|| {
            let pods = cluster.kubectl_output(&["-n", NAMESPACE, "get", "pods,events"]);
            format!(
                "failed to start the demo stack; the objects in its namespace:\n{}",
                pods.unwrap_or_default()
            )
        })
    })
}

/// Posts a todo through the Ingress and reads it back.
pub(crate) fn call() -> anyhow::Result<()> {
    progress::step(&format!("POST and GET {URL}"), "", || {
        // The Ingress controller may see the Ingress a moment after the stack is Ready.
        let posted = wait::until("the API to answer through the Ingress", Duration::from_secs(30), || {
            match post("Served by cargo xtask up") {
                Ok(todo) => Probe::Done(todo),
                Err(error) => Probe::NotYet(format!("{error:#}")),
            }
        })?;
        let listed: Vec<serde_json::Value> =
            ureq::get(ADDRESS).header("Host", HOST).call()?.body_mut().read_json()?;
        anyhow::ensure!(
            listed.iter().any(|todo| todo.get("id") == posted.get("id")),
            "the todo that was posted ({posted}) is not among the {} listed",
            listed.len()
        );
        progress::detail(&format!("posted {posted}; {} listed", listed.len()));
        Ok(())
    })
}

fn post(title: &str) -> anyhow::Result<serde_json::Value> {
    let todo = serde_json::json!({"title": title});
    Ok(ureq::post(ADDRESS).header("Host", HOST).send_json(todo)?.body_mut().read_json()?)
}

fn readiness(cluster: &ClusterTools, image: &str) -> (bool, String) {
    let json = match cluster.kubectl_output(&["-n", NAMESPACE, "get", "todostack", NAME, "-o", "json"]) {
        Ok(json) => json,
        Err(error) => return (false, error.to_string()),
    };
    match serde_json::from_str::<Stack>(&json) {
        Ok(stack) => describe(&stack, image),
        Err(error) => (false, format!("failed to parse TodoStack {NAME}: {error}")),
    }
}

fn describe(stack: &Stack, image: &str) -> (bool, String) {
    let Status { conditions, api } = &stack.status;
    match conditions.iter().find(|condition| condition.kind == "Ready") {
        // An operator that was just upgraded has not reconciled this stack yet.
        Some(Condition { status, .. }) if status == "True" && api.image != image => {
            (false, format!("Ready with the API image {}, not yet with {image}", api.image))
        }
        Some(Condition { status, reason, message, .. }) => {
            (status == "True", format!("Ready is {status} ({reason}): {message}"))
        }
        None => (false, "the operator has not reconciled it yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(json: &str) -> Stack {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_stack_without_status_is_not_ready() {
        let message = "the operator has not reconciled it yet".to_owned();
        assert_eq!(describe(&stack(r#"{"spec": {}}"#), "api:2"), (false, message));
    }

    #[test]
    fn the_condition_ready_is_reported_with_its_reason() {
        let condition =
            r#"{"type": "Ready", "status": "False", "reason": "Starting", "message": "Postgres starts."}"#;
        let described =
            describe(&stack(&format!(r#"{{"status": {{"conditions": [{condition}]}}}}"#)), "api:2");
        assert_eq!(described, (false, "Ready is False (Starting): Postgres starts.".to_owned()));
    }

    #[test]
    fn a_stack_that_is_ready_with_the_previous_image_is_not_ready() {
        let condition = r#"{"type": "Ready", "status": "True", "reason": "AsExpected", "message": ""}"#;
        let with = |image: &str| {
            stack(&format!(r#"{{"status": {{"conditions": [{condition}], "api": {{"image": "{image}"}}}}}}"#))
        };
        assert!(!describe(&with("api:1"), "api:2").0);
        assert!(describe(&with("api:2"), "api:2").0);
    }
}
