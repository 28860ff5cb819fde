//! Two replicas of the operator: who stops or hangs is replaced in time, and does not write any more.

use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use todostack_e2e::{
    cluster::Cluster, namespace::with_namespace_alone, operator_process::process_of, stack::SOON, wait,
};
use tokio::{process::Command, time::Instant};

use crate::operator::{leader, scale};

// From the deletion of the pod: the kubelet needs a moment to stop it.
const AFTER_SIGTERM: Duration = Duration::from_secs(4);
const AFTER_A_HANG: Duration = Duration::from_secs(15);

// The pod that holds the Lease, unless it is `other_than`.
async fn holder(cluster: &Cluster, other_than: &str) -> Result<String> {
    let holder = leader(cluster).await?;
    ensure!(holder != other_than, "{holder} holds the Lease");
    Ok(holder)
}

async fn next_holder(cluster: &Cluster, before: &str) -> Result<(String, Duration)> {
    let start = Instant::now();
    let next = wait::eventually("taken over", SOON, async || holder(cluster, before).await).await?;
    Ok((next, start.elapsed()))
}

async fn signal(signal: &str, process: &str) -> Result<()> {
    let status = Command::new("kill").args([signal, process]).status().await?;
    ensure!(status.success(), "kill {signal} {process}: {status}");
    Ok(())
}

#[test]
fn another_replica_takes_over_from_one_that_stops_and_from_one_that_hangs() -> Result<()> {
    with_namespace_alone("takeover", async |namespace| {
        let cluster = &namespace.cluster;
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        scale(cluster, 2).await?;
        let outcome = async {
            let (first, _) = next_holder(cluster, "").await?;
            cluster.operator_api::<Pod>().delete(&first, &DeleteParams::default()).await?;
            let (second, took) = next_holder(cluster, &first).await?;
            ensure!(took <= AFTER_SIGTERM, "taken over {took:?} after SIGTERM");
            namespace.apply_and_wait("second", "{database: {sqlite: {}}}").await?;

            scale(cluster, 2).await?;
            let process = process_of(&second)?;
            signal("-STOP", &process).await?;
            let taken = next_holder(cluster, &second).await;
            signal("-CONT", &process).await?;
            let (third, took) = taken?;
            ensure!(took <= AFTER_A_HANG, "taken over {took:?} after a hang");
            namespace.apply_and_wait("third", "{database: {sqlite: {}}}").await?;
            // Who hung stands by, and does not take the Lease back.
            ensure!(holder(cluster, &second).await? == third, "the Lease went on");
            Ok::<_, anyhow::Error>(())
        }
        .await;
        scale(cluster, 1).await?;
        outcome
    })
}
