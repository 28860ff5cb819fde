//! Every child of a stack is there, with its labels and its owner.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams},
};
use serde_json::json;
use todostack_e2e::{
    figure,
    namespace::{Namespace, with_namespace},
    stack::SOON,
    wait,
};

/// Kind, name, component, and whether the stack owns it (with deletionPolicy Retain, data and credentials stay).
const CHILDREN: &[(&str, &str, &str, bool)] = &[
    ("v1/Secret", "shop-db-superuser", "database", false),
    ("v1/Secret", "shop-db-app", "database", false),
    ("v1/PersistentVolumeClaim", "shop-db", "database", false),
    ("v1/ServiceAccount", "shop", "api", true),
    ("v1/Service", "shop-db", "database", true),
    ("apps/v1/StatefulSet", "shop-db", "database", true),
    ("apps/v1/Deployment", "shop-api", "api", true),
    ("v1/Service", "shop-api", "api", true),
    ("networking.k8s.io/v1/Ingress", "shop", "exposure", true),
];

#[tokio::test]
async fn every_child_is_there_with_its_labels_and_its_owner() -> Result<()> {
    with_namespace("children", async |namespace| {
        let applied = Instant::now();
        let stack = namespace.apply("shop", "{exposure: {host: children.localhost}}").await?;
        let mut found = BTreeMap::new();
        for (kind, name, ..) in CHILDREN {
            let api = objects(namespace, kind)?;
            let child = wait::eventually("made", SOON, async || Ok(api.get(name).await?)).await;
            found.insert((kind, name), child.with_context(|| format!("{kind} {name}"))?);
        }
        let jobs = objects(namespace, "batch/v1/Job")?;
        wait::eventually("made", SOON, async || {
            let found = jobs.list(&ListParams::default().labels("todostack.dev/stack=shop")).await?;
            let names: Vec<_> = found.items.iter().map(ResourceExt::name_any).collect();
            ensure!(names.iter().any(|it| it.starts_with("shop-migrate-")), "Jobs: {names:?}");
            Ok(())
        })
        .await?;
        figure::print("a stack, from apply to all of its children", applied.elapsed())?;

        for (kind, name, component, owned) in CHILDREN {
            let child = found.get(&(kind, name)).context("found above")?;
            ensure!(labels(child, namespace, component), "{kind} {name}: {:?}", child.labels());
            let owners = child.owner_references();
            let ours = owners
                .iter()
                .any(|it| Some(&it.uid) == stack.metadata.uid.as_ref() && it.controller == Some(true));
            ensure!(ours == *owned && owners.len() == usize::from(*owned), "{kind} {name}: {owners:?}");
        }

        Ok(())
    })
    .await
}

fn labels(child: &DynamicObject, namespace: &Namespace, component: &str) -> bool {
    let wanted = [
        ("app.kubernetes.io/name", "todostack"),
        ("app.kubernetes.io/instance", "shop"),
        ("app.kubernetes.io/component", component),
        ("app.kubernetes.io/part-of", "shop"),
        ("app.kubernetes.io/managed-by", "todostack-operator"),
        ("todostack.dev/stack", "shop"),
        ("todostack.dev/namespace", namespace.name.as_str()),
    ];
    wanted.iter().all(|(key, value)| child.labels().get(*key).is_some_and(|it| it == value))
}

/// The objects of a kind given as `group/version/Kind`.
fn objects(namespace: &Namespace, kind: &str) -> Result<Api<DynamicObject>> {
    let (group_version, kind) = kind.rsplit_once('/').context("group/version/Kind")?;
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Ok(Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &resource))
}

/// Every test's namespace is one of these, so every stack of the tests is a proof; this shows that the rule is in force.
#[tokio::test]
async fn the_namespaces_of_tests_refuse_pods_that_are_not_restricted() -> Result<()> {
    with_namespace("restricted", async |namespace| {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "root"},
            "spec": {"containers": [{"name": "root", "image": "docker.io/library/postgres:18"}]},
        }))?;
        let refused = namespace.api::<Pod>().create(&PostParams::default(), &pod).await;
        let message = refused.err().context("a pod that may be root was let in")?.to_string();
        ensure!(message.contains("violates PodSecurity \"restricted"), "{message}");
        Ok(())
    })
    .await
}
