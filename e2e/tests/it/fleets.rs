//! Parts of a cluster: an operator without a ClusterRole in one namespace, namespaces chosen by a label, and
//! several operators that share the stacks.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::{
    ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster::{OPERATOR, OPERATOR_NAMESPACE},
    namespace::{Namespace, with_namespace_alone},
    release::{self, with_values},
    stack::SOON,
    wait,
};

const SQLITE: &str = "{api: {replicas: 1}, database: {sqlite: {}}}";

// What manages each stack of the namespace, by `status.operator`.
async fn operators(namespace: &Namespace) -> Result<Vec<String>> {
    let stacks = namespace.stacks().list(&ListParams::default()).await?.items;
    let marks = stacks.into_iter().map(|stack| stack.status.and_then(|status| status.operator));
    marks.map(|mark| mark.context("a stack has no operator")).collect()
}

#[test]
fn without_a_cluster_role_everything_but_nfs_works_in_one_namespace() -> Result<()> {
    with_namespace_alone("confined", async |namespace| {
        let cluster = &namespace.cluster;
        release::confined(cluster, &namespace.name, async || {
            let roles = cluster.api::<ClusterRole>().list(&ListParams::default()).await?.items;
            ensure!(roles.iter().all(|role| role.name_any() != OPERATOR), "there is a ClusterRole");
            let spec = format!("{{exposure: {{host: {}.localhost}}}}", namespace.name);
            namespace.apply_and_wait("shop", &spec).await?;
            namespace.todos("shop").add("need no ClusterRole").await?;
            namespace.apply_and_wait("small", SQLITE).await?;
            let nfs = "{database: {postgres: {storage: {nfs: {server: nfs.example.com, path: /exports/a}}}}}";
            namespace.apply("far", nfs).await?;
            namespace.until_not_ready("far", Reason::ClusterAccessNeeded, "").await?;
            namespace.delete_and_wait("small").await
        })
        .await
    })
}

#[test]
fn namespaces_are_chosen_by_a_label_that_may_come_and_go() -> Result<()> {
    with_namespace_alone("labelled", async |namespace| {
        let cluster = &namespace.cluster;
        let selector = format!("--set=watchNamespaceSelector.todo={}", namespace.name);
        with_values(cluster, &[&selector], async || {
            namespace.apply("shop", SQLITE).await?;
            let label = async |value: Option<&str>| {
                let patch = Patch::Merge(json!({"metadata": {"labels": {"todo": value}}}));
                let namespaces = cluster.api::<k8s_openapi::api::core::v1::Namespace>();
                namespaces.patch(&namespace.name, &PatchParams::default(), &patch).await
            };
            label(Some(&namespace.name)).await?;
            namespace.until_ready("shop").await?;
            label(None).await?;
            // The operator knows of the label's removal before it learns of a later edit.
            namespace.kubectl(&["delete", "service", "shop-api"]).await?;
            label(Some(&namespace.name)).await?;
            let service = ["get", "service", "shop-api", "--output", "name"];
            wait::eventually("created again", SOON, async || namespace.kubectl(&service).await).await?;
            namespace.until_ready("shop").await.map(drop)
        })
        .await
    })
}

#[test]
fn shards_share_the_stacks_and_hand_them_over_when_their_number_changes() -> Result<()> {
    with_namespace_alone("shards", async |namespace| {
        let cluster = &namespace.cluster;
        let names: Vec<_> = (0..6).map(|number| format!("shop-{number}")).collect();
        with_values(cluster, &["--set=shards=2"], async || {
            for name in &names {
                namespace.apply(name, SQLITE).await?;
            }
            for name in &names {
                namespace.until_ready(name).await?;
            }
            let found: BTreeSet<_> = operators(namespace).await?.into_iter().collect();
            // All six in one shard: one time in 32.
            let halves = [0, 1].map(|it| format!("{OPERATOR_NAMESPACE}/{OPERATOR}-{it}-of-2"));
            ensure!(found.iter().all(|it| halves.contains(it)), "{found:?}");
            Ok(())
        })
        .await?;
        // The only operator serves all of them, and corrects what is changed.
        for name in &names {
            let service = format!("{name}-api");
            namespace.kubectl(&["delete", "service", &service]).await?;
            let service = ["get", "service", &service, "--output", "name"];
            wait::eventually("created again", SOON, async || namespace.kubectl(&service).await).await?;
        }
        let own = format!("{OPERATOR_NAMESPACE}/{OPERATOR}");
        wait::eventually("marked as the only operator's", SOON, async || {
            let found = operators(namespace).await?;
            ensure!(found.iter().all(|mark| *mark == own), "{found:?}");
            Ok(())
        })
        .await
    })
}
