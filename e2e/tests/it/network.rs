//! The network between the operator and the API server is slow, silent or broken, and the API server is busy
//! or has forgotten what it said: an edit is lost in none of these cases, and the process stays the same.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::json;
use todostack_e2e::{
    figure,
    namespace::{Namespace, with_namespace_alone},
    operator_process::{Fault, OperatorProcess, Program},
    stack::READY_WITHIN,
    toxiproxy::Toxiproxy,
    wait,
};
use tokio::time::{Instant, interval};

use super::operator::scale;

// How long each fault lasts, at least.
const FAULT: Duration = Duration::from_secs(10);

#[test]
fn no_edit_is_lost_while_the_network_fails() -> Result<()> {
    with_namespace_alone("network", async |namespace| {
        let program = Program::of_running_operator(&namespace.cluster).await?;
        scale(&namespace.cluster, 0).await?;
        let outcome = faults(namespace, &program).await;
        scale(&namespace.cluster, 1).await?;
        outcome
    })
}

async fn faults(namespace: &Namespace, program: &Program) -> Result<()> {
    let mut between = None;
    let mut operator = OperatorProcess::start_behind(namespace, program, async |server| {
        let toxiproxy = Toxiproxy::start(server).await?;
        Ok(between.insert(toxiproxy).address)
    })
    .await?;
    let network = between.context("no Toxiproxy")?;
    namespace.apply_and_wait("shop", &spec(0)).await?;

    network.add("latency", &json!({"latency": 5000}))?;
    edit(namespace, 1).await?;
    until_applied(namespace, 1, "while each answer takes 5 s").await?;
    network.remove("latency")?;

    for (kind, number) in [("timeout", 2), ("reset_peer", 3)] {
        network.add(kind, &json!({"timeout": 0}))?;
        edit(namespace, number).await?;
        ensure_unchanged(namespace, number).await?;
        network.remove(kind)?;
        until_applied(namespace, number, kind).await?;
    }

    operator.answer_with(Fault::TooManyRequests);
    edit(namespace, 4).await?;
    ensure_unchanged(namespace, 4).await?;
    operator.answer_with(Fault::None);
    until_applied(namespace, 4, "too many requests").await?;

    operator.answer_with(Fault::Gone);
    network.close_connections()?;
    namespace.kubectl(&["delete", "service", "shop-api"]).await?;
    edit(namespace, 5).await?;
    until_applied(namespace, 5, "watches that are too old").await?;
    operator.answer_with(Fault::None);
    operator.ensure_running()?;
    namespace.until_ready("shop").await.map(drop)
}

// A host is applied without a new pod.
fn spec(number: u16) -> String {
    format!(
        "{{api: {{replicas: 1}}, database: {{sqlite: {{}}}}, exposure: {{host: network-{number}.localhost}}}}"
    )
}

async fn edit(namespace: &Namespace, number: u16) -> Result<()> {
    namespace.apply("shop", &spec(number)).await.map(drop)
}

// Whether the Ingress has the host of the edit.
async fn is_applied(namespace: &Namespace, number: u16) -> Result<bool> {
    let ingress = namespace.api::<Ingress>().get("shop").await?;
    let rules = ingress.spec.and_then(|spec| spec.rules).unwrap_or_default();
    Ok(rules.iter().any(|rule| rule.host.as_deref() == Some(&format!("network-{number}.localhost"))))
}

async fn until_applied(namespace: &Namespace, number: u16, fault: &str) -> Result<()> {
    let start = Instant::now();
    wait::eventually(fault, READY_WITHIN, async || {
        ensure!(is_applied(namespace, number).await?, "edit {number} is not applied");
        Ok(())
    })
    .await?;
    figure::print(&format!("edit applied, {fault}"), start.elapsed())?;
    Ok(())
}

// The fault is real: for its whole time, nothing is written.
async fn ensure_unchanged(namespace: &Namespace, number: u16) -> Result<()> {
    let (start, mut ticks) = (Instant::now(), interval(Duration::from_millis(500)));
    while start.elapsed() < FAULT {
        ticks.tick().await;
        ensure!(!is_applied(namespace, number).await?, "the fault let a write pass");
    }
    Ok(())
}
