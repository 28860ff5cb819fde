//! The operator is killed at ten writes of a stack's life, each time right after the API server has stored
//! the write. Every write of every change is tried without a cluster, by the operator's own tests.

use anyhow::{Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::PersistentVolume};
use kube::api::{DeleteParams, ListParams};
use todostack_e2e::{
    namespace::{Namespace, with_namespace_alone},
    operator_process::{OperatorProcess, Program},
    stack::{READY_WITHIN, SOON},
    wait,
};

use super::operator::scale;

// Numbers of the writes of each change, counted from the start of the process.
const CREATE: [usize; 4] = [2, 1, 2, 1];
const EDIT: [usize; 2] = [1, 1];
const ROTATE: [usize; 2] = [1, 3];
const DELETE: [usize; 2] = [1, 2];

#[test]
fn a_stack_survives_ten_crashes_of_the_operator() -> Result<()> {
    with_namespace_alone("crash", async |namespace| {
        let program = Program::of_running_operator(&namespace.cluster).await?;
        scale(&namespace.cluster, 0).await?;
        let outcome = life(namespace, &program).await;
        scale(&namespace.cluster, 1).await?;
        outcome
    })
}

async fn life(namespace: &Namespace, program: &Program) -> Result<()> {
    let start = || OperatorProcess::start(namespace, program);
    let host = format!("{}.localhost", namespace.name);
    let create = async || namespace.apply("shop", "{deletionPolicy: Delete}").await.map(drop);
    crash(namespace, program, &CREATE, create).await?;
    let operator = start().await?;
    namespace.until_ready("shop").await?;
    drop(operator);
    let before = vec![namespace.todos("shop").add("outlive the operator").await?];
    let password = namespace.password("shop-db-superuser").await?;

    let spec = format!("{{deletionPolicy: Delete, api: {{replicas: 1}}, exposure: {{host: {host}}}}}");
    let edit = async || namespace.apply("shop", &spec).await.map(drop);
    crash(namespace, program, &EDIT, edit).await?;
    let annotate = ["annotate", "todostack/shop", "todostack.dev/rotate=1"];
    let rotate = async || namespace.kubectl(&annotate).await.map(drop);
    crash(namespace, program, &ROTATE, rotate).await?;
    let operator = start().await?;
    namespace.until_ready("shop").await?;
    until_rotated(namespace).await?;
    assert_eq!(namespace.todos("shop").list_eventually().await?, before);
    assert_eq!(namespace.password("shop-db-superuser").await?, password);
    drop(operator);

    let volume = namespace.bound_volume("shop-db").await?;
    let delete = async || Ok(namespace.stacks().delete("shop", &DeleteParams::default()).await.map(drop)?);
    crash(namespace, program, &DELETE, delete).await?;
    let _operator = start().await?;
    wait::until_deleted(&namespace.stacks(), "shop", SOON).await?;
    wait::until_deleted(&namespace.cluster.api::<PersistentVolume>(), &volume, READY_WITHIN).await
}

// Makes a change, and kills one operator after the other, each at its write.
async fn crash(
    namespace: &Namespace,
    program: &Program,
    writes: &[usize],
    change: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    change().await?;
    for write in writes {
        let operator = OperatorProcess::start(namespace, program).await?;
        operator.kill_at(*write);
        operator.until_killed().await?;
        let jobs = namespace.api::<Job>().list(&ListParams::default()).await?.items;
        let unfinished =
            jobs.iter().filter(|job| job.status.as_ref().is_none_or(|it| it.conditions.is_none()));
        ensure!(unfinished.count() <= 1, "more than one Job has not finished");
    }
    Ok(())
}

// Waits until the other generated username is that of the pods, and the change has no leftovers.
async fn until_rotated(namespace: &Namespace) -> Result<()> {
    wait::eventually("rotated", READY_WITHIN, async || {
        let secrets = namespace.kubectl(&["get", "secrets", "--output", "name"]).await?;
        ensure!(!secrets.contains("next"), "{secrets}");
        let template = "jsonpath={.data.username}";
        let username = namespace.kubectl(&["get", "secret", "shop-db-app", "--output", template]).await?;
        // todo_b, in base64.
        ensure!(username == "dG9kb19i", "{username}");
        Ok(())
    })
    .await
}
