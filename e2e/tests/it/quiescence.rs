//! The operator writes nothing as long as a root cause stays the same. Watched for five minutes, beside other
//! tests.

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
    namespace::{Namespace, with_namespace_watching},
    stack::READY_WITHIN,
    wait,
};
use tokio::time::timeout;

const WATCHED: Duration = Duration::from_mins(5);
const MANAGED_KINDS: &str =
    "deployments,statefulsets,jobs,services,secrets,persistentvolumeclaims,serviceaccounts";

// A stack for each kind of root cause with objects that keep changing: restarts, back-offs, counts of
// Events.
const FAILING: [(&str, &str, Reason); 5] = [
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

#[test]
fn nothing_is_written_while_a_root_cause_stays_the_same() -> Result<()> {
    with_namespace_watching("still", async |namespace| {
        for (name, spec, _) in FAILING {
            namespace.apply(name, spec).await?;
        }
        apply_with_failing_probe(namespace).await?;
        for (name, _, reason) in FAILING {
            namespace.until_not_ready(name, reason, "").await?;
        }
        until_restarted(namespace, "crash").await?;
        namespace.until_not_ready("probe", Reason::ProbeFailed, "").await?;

        let stacks = namespace.stacks().list(&ListParams::default()).await?.items;
        ensure!(stacks.len() == FAILING.len() + 1, "{} stacks", stacks.len());
        let before = write_times(namespace).await?;
        match timeout(WATCHED, first_write(namespace, &stacks)).await {
            Ok(outcome) => outcome?,
            // No stack was written. Managed resources are of many kinds, so their times are compared instead.
            Err(_) => assert_eq!(write_times(namespace).await?, before),
        }
        Ok(())
    })
}

async fn apply_with_failing_probe(namespace: &Namespace) -> Result<()> {
    namespace.external_database(OWNER, &[]).await?;
    namespace.apply_external_login("own", OWNER).await?;
    let spec = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";
    namespace.apply_and_wait("probe", spec).await?;
    namespace.kubectl(&["scale", "deployment/shop-database", "--replicas=0"]).await.map(drop)
}

// Waits until a container of the stack has restarted twice. After that, only its restart count changes.
async fn until_restarted(namespace: &Namespace, stack: &str) -> Result<()> {
    let of_stack = ListParams::default().labels(&format!("todostack.dev/stack={stack}"));
    wait::eventually("restarted", READY_WITHIN, async || {
        let pods = namespace.api::<Pod>().list(&of_stack).await?.items;
        let statuses = pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
        ensure!(statuses.flatten().any(|it| it.restart_count > 1), "no second restart yet");
        Ok(())
    })
    .await
}

// Returns an error at the first write to one of the stacks.
async fn first_write(namespace: &Namespace, stacks: &[TodoStack]) -> Result<()> {
    let mut changes = watcher(namespace.stacks(), watcher::Config::default()).touched_objects().boxed();
    while let Some(now) = changes.try_next().await? {
        let before = stacks.iter().find(|it| it.uid() == now.uid()).context("another stack")?;
        if before.resource_version() != now.resource_version() {
            let status = |stack: &TodoStack| serde_json::to_string_pretty(&stack.status);
            bail!("{} was written:\n{}\nnow:\n{}", now.name_any(), status(before)?, status(&now)?);
        }
    }
    bail!("the watch of the stacks ended")
}

// When the operator last wrote each managed resource, by the time of its field manager.
async fn write_times(namespace: &Namespace) -> Result<BTreeMap<String, String>> {
    let get = ["get", MANAGED_KINDS, "--output", "json", "--show-managed-fields"];
    let list: Value = serde_json::from_str(&namespace.kubectl(&get).await?)?;
    let mut times = BTreeMap::new();
    for object in list.get("items").and_then(Value::as_array).context("no items")? {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            if entry.get("manager").and_then(Value::as_str) == Some("todostack-operator") {
                let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let key = format!("{} {}", text("/kind"), text("/metadata/name"));
                times.insert(key, entry.get("time").and_then(Value::as_str).unwrap_or_default().to_owned());
            }
        }
    }
    ensure!(times.len() > FAILING.len(), "only {} managed resources", times.len());
    Ok(times)
}
