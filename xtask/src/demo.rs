//! The demo stack of examples/demo: applies it, waits until it is Ready, calls it through the Ingress.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::wait::{self, Probe};
use todostack_testbed::{process, progress};

use crate::repository;

/// The address of the demo for browsers and curl.
pub(crate) const URL: &str = "http://todolist.localhost:8080/todos";
const HOST: &str = "todolist.localhost:8080";
// The address for other programs, which may not resolve names under localhost.
const ADDRESS: &str = "http://127.0.0.1:8080/todos";
const NAMESPACE: &str = "todo";
const NAME: &str = "demo";

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
            let pods = pods.unwrap_or_default();
            format!("failed to start the demo stack; the objects in its namespace:\n{pods}")
        })
    })
}

pub(crate) fn call() -> anyhow::Result<()> {
    progress::step(&format!("POST and GET {URL}"), "", || {
        // The Ingress controller may see the Ingress a moment after the stack is Ready.
        let posted = wait::until("the API to answer through the Ingress", Duration::from_secs(30), || {
            match post("Served by cargo xtask up") {
                Ok(todo) => Probe::Done(todo),
                Err(error) => Probe::NotYet(format!("{error:#}")),
            }
        })?;
        let listed: Vec<Value> = ureq::get(ADDRESS).header("Host", HOST).call()?.body_mut().read_json()?;
        anyhow::ensure!(
            listed.iter().any(|todo| todo.get("id") == posted.get("id")),
            "the todo that was posted ({posted}) is not among the {} listed",
            listed.len()
        );
        progress::detail(&format!("posted {posted}; {} listed", listed.len()));
        Ok(())
    })
}

fn post(title: &str) -> anyhow::Result<Value> {
    let todo = serde_json::json!({"title": title});
    Ok(ureq::post(ADDRESS).header("Host", HOST).send_json(todo)?.body_mut().read_json()?)
}

fn readiness(cluster: &ClusterTools, image: &str) -> (bool, String) {
    let json = match cluster.kubectl_output(&["-n", NAMESPACE, "get", "todostack", NAME, "-o", "json"]) {
        Ok(json) => json,
        Err(error) => return (false, error.to_string()),
    };
    match serde_json::from_str(&json) {
        Ok(stack) => describe(&stack, image),
        Err(error) => (false, format!("failed to parse TodoStack {NAME}: {error}")),
    }
}

fn describe(stack: &Value, image: &str) -> (bool, String) {
    let conditions = stack.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let Some(ready) = conditions.find(|condition| text(condition, "/type") == "Ready") else {
        return (false, "the operator has not reconciled it yet".to_owned());
    };
    let (status, running) = (text(ready, "/status"), text(stack, "/status/api/image"));
    // An operator that was just upgraded has not reconciled this stack yet.
    if status == "True" && running != image {
        return (false, format!("Ready with the API image {running}, not yet with {image}"));
    }
    let (reason, message) = (text(ready, "/reason"), text(ready, "/message"));
    (status == "True", format!("Ready is {status} ({reason}): {message}"))
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::not_reconciled(json!({}), (false, "the operator has not reconciled it yet"))]
    #[case::starting(
        json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Starting", "message": "Wait."}]}),
        (false, "Ready is False (Starting): Wait."))]
    #[case::ready_with_the_previous_image(
        json!({"conditions": [{"type": "Ready", "status": "True"}], "api": {"image": "api:1"}}),
        (false, "Ready with the API image api:1, not yet with api:2"))]
    #[case::ready(
        json!({"conditions": [{"type": "Ready", "status": "True", "reason": "AsExpected", "message": "Serves."}],
               "api": {"image": "api:2"}}),
        (true, "Ready is True (AsExpected): Serves."))]
    fn a_stack_is_ready_when_the_operator_reports_it_with_the_image(
        #[case] status: Value,
        #[case] (ready, message): (bool, &str),
    ) {
        assert_eq!(describe(&json!({"status": status}), "api:2"), (ready, message.to_owned()));
    }
}
