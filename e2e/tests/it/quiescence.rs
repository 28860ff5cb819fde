//! As long as a cause stays the same, nothing is written: watched for five minutes, beside all other tests.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt as _,
    api::ListParams,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};
use serde_json::Value;
use todostack_crds::{Reason, TodoStack};
use todostack_e2e::{
    external_database::OWNER,
    namespace::{Namespace, with_namespace_watched},
    stack::READY_WITHIN,
    wait,
};
use tokio::time::timeout;

const WATCHED: Duration = Duration::from_mins(5);
/// Kinds that the operator writes.
const CHILDREN: &str =
    "deployments,statefulsets,jobs,services,secrets,persistentvolumeclaims,serviceaccounts";

/// A stack for each kind of cause that goes on moving underneath: restarts, back-offs, Events that count up.
const STUCK: [(&str, &str, Reason); 5] = [
    (
        "crash",
        "{api: {image: 'docker.io/library/postgres:18'}, database: {sqlite: {}}}",
        Reason::CrashLoopBackOff,
    ),
    ("image", "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}", Reason::ImageNotFound),
    (
        "node",
        "{database: {postgres: {nodeSelector: {shelf: top}, tolerations: [{operator: Exists}]}}}",
        Reason::Unschedulable,
    ),
    (
        "mount",
        "{database: {postgres: {storage: {nfs: {server: nas.example.com, path: /not/there}}}}}",
        Reason::ExportNotFound,
    ),
    (
        "memory",
        "{database: {postgres: {resources: {limits: {memory: 24Mi}, requests: {memory: 24Mi}}}}}",
        Reason::OOMKilled,
    ),
];

#[tokio::test]
async fn nothing_is_written_while_a_cause_stays_the_same() -> Result<()> {
    with_namespace_watched("still", async |namespace| {
        for (name, spec, _) in STUCK {
            namespace.apply(name, spec).await?;
        }
        with_a_failing_probe(namespace).await?;
        for (name, _, reason) in STUCK {
            namespace.blocked_by(name, reason, "").await?;
        }
        restarted(namespace, "crash").await?;
        namespace.blocked_by("probe", Reason::ProbeFailed, "").await?;

        let stacks = namespace.stacks().list(&ListParams::default()).await?.items;
        ensure!(stacks.len() == STUCK.len() + 1, "{} stacks", stacks.len());
        let children = written(namespace).await?;
        match timeout(WATCHED, changed(namespace, &stacks)).await {
            Ok(outcome) => outcome?,
            Err(_) => assert_eq!(written(namespace).await?, children),
        }
        Ok(())
    })
    .await
}

async fn with_a_failing_probe(namespace: &Namespace) -> Result<()> {
    namespace.external_database(OWNER, &[]).await?;
    namespace.external_login("own", OWNER).await?;
    namespace.apply("probe", "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}").await?;
    namespace.ready("probe").await?;
    namespace.kubectl(&["scale", "deployment/shop-database", "--replicas=0"]).await.map(drop)
}

/// Waits until a container of the stack was started a second time: from then on it is as it will go on.
async fn restarted(namespace: &Namespace, stack: &str) -> Result<()> {
    let its = ListParams::default().labels(&format!("todostack.dev/stack={stack}"));
    wait::eventually("restarted", READY_WITHIN, async || {
        let pods = namespace.api::<Pod>().list(&its).await?.items;
        let statuses = pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
        ensure!(statuses.flatten().any(|it| it.restart_count > 1), "no restart yet");
        Ok(())
    })
    .await
}

/// Ends with an error at the first write to one of the stacks.
async fn changed(namespace: &Namespace, stacks: &[TodoStack]) -> Result<()> {
    let mut changes = watcher(namespace.stacks(), watcher::Config::default()).touched_objects().boxed();
    while let Some(now) = changes.try_next().await? {
        let before = stacks.iter().find(|it| it.uid() == now.uid()).context("another stack")?;
        if before.resource_version() != now.resource_version() {
            let of = |stack: &TodoStack| serde_json::to_string_pretty(&stack.status);
            bail!("{} was written:\n{}\nnow:\n{}", now.name_any(), of(before)?, of(&now)?);
        }
    }
    bail!("the watch of the stacks ended")
}

/// When the operator wrote each child last, by its own entry among the field managers.
async fn written(namespace: &Namespace) -> Result<BTreeMap<String, String>> {
    let printed = namespace.kubectl(&["get", CHILDREN, "--output", "json", "--show-managed-fields"]).await?;
    let list: Value = serde_json::from_str(&printed)?;
    let mut times = BTreeMap::new();
    for object in list.get("items").and_then(Value::as_array).context("no items")? {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            if entry.get("manager").and_then(Value::as_str) == Some("todostack-operator") {
                let name = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let key = format!("{} {}", name("/kind"), name("/metadata/name"));
                times.insert(key, entry.get("time").and_then(Value::as_str).unwrap_or_default().to_owned());
            }
        }
    }
    ensure!(times.len() > STUCK.len(), "{} children of the operator's", times.len());
    Ok(times)
}
