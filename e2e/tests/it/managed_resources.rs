//! Every managed resource of a stack exists, with its labels and its owner.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams, PostParams},
};
use serde_json::json;
use strum::IntoEnumIterator as _;
use todostack_e2e::{
    figure,
    namespace::{Namespace, with_namespace},
    stack::SOON,
    wait,
};
use todostack_stack::{
    managed::{Kind, ManagedResource},
    requirements::Requirements,
    stack_ref::StackRef,
};

#[test]
fn every_managed_resource_exists_with_its_labels_and_its_owner() -> Result<()> {
    with_namespace("managed", async |namespace| {
        let applied = Instant::now();
        let stack = namespace.apply("shop", "{exposure: {host: children.localhost}}").await?;
        let (id, requirements) = (StackRef::try_from(&stack)?, Requirements::from(&stack.spec));
        let mut created = Vec::new();
        for resource in ManagedResource::iter() {
            let Some(name) = resource.expected_name(&id, &requirements) else { continue };
            let api = objects(namespace, resource.kind());
            let object = wait::eventually("created", SOON, async || Ok(api.get(&name).await?)).await;
            created.push((resource, object.with_context(|| format!("{resource:?} {name}"))?));
        }
        // The name of a Job contains a hash.
        let jobs = objects(namespace, Kind::Job);
        wait::eventually("created", SOON, async || {
            let listed = jobs.list(&ListParams::default().labels("todostack.dev/stack=shop")).await?;
            let names: Vec<_> = listed.iter().map(ResourceExt::name_any).collect();
            ensure!(names.iter().any(|it| it.starts_with("shop-migrate-")), "Jobs: {names:?}");
            Ok(())
        })
        .await?;
        figure::print("a stack, from apply to all managed resources", applied.elapsed())?;

        for (resource, object) in created {
            let component = resource.component().as_str();
            ensure!(has_labels(&object, namespace, component), "{resource:?}: {:?}", object.labels());
            // With deletionPolicy Retain, data and credentials are not deleted with the stack.
            let is_owned = !matches!(resource.kind(), Kind::Secret | Kind::PersistentVolumeClaim);
            let owners = object.owner_references();
            let has_owner = owners.iter().any(|it| it.uid == id.uid && it.controller == Some(true));
            ensure!(
                has_owner == is_owned && owners.len() == usize::from(is_owned),
                "{resource:?}: {owners:?}"
            );
        }
        Ok(())
    })
}

fn has_labels(object: &DynamicObject, namespace: &Namespace, component: &str) -> bool {
    let expected = [
        ("app.kubernetes.io/name", "todostack"),
        ("app.kubernetes.io/component", component),
        ("app.kubernetes.io/part-of", "shop"),
        ("app.kubernetes.io/managed-by", "todostack-operator"),
        ("todostack.dev/stack", "shop"),
        ("todostack.dev/namespace", namespace.name.as_str()),
    ];
    expected.iter().all(|(key, value)| object.labels().get(*key).is_some_and(|it| it == value))
}

fn objects(namespace: &Namespace, kind: Kind) -> Api<DynamicObject> {
    Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &kind.api_resource())
}

// So every other test shows that the operator's pods comply with `restricted`.
#[test]
fn the_namespaces_of_tests_enforce_the_restricted_standard() -> Result<()> {
    with_namespace("restricted", async |namespace| {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "root"},
            "spec": {"containers": [{"name": "root", "image": "docker.io/library/postgres:18"}]},
        }))?;
        let rejected = namespace.api::<Pod>().create(&PostParams::default(), &pod).await;
        let message = rejected.err().context("a pod that may be root was admitted")?.to_string();
        ensure!(message.contains("violates PodSecurity \"restricted"), "{message}");
        Ok(())
    })
}
