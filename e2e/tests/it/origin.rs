//! Objects with a name that a stack needs: foreign ones are kept whatever their labels, those of a restored
//! backup are taken over. An object without labels is in `missing_references.rs`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, DynamicObject, PostParams},
};
use serde_json::{Value, json};
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    remedy::Step,
    stack::SOON,
    wait,
};
use todostack_stack::managed::Kind;

const SQLITE: &str = "{database: {sqlite: {}}}";

fn labels(namespace: &str, stack: &str) -> Value {
    json!({
        "app.kubernetes.io/managed-by": "todostack-operator", "app.kubernetes.io/name": "todostack",
        "todostack.dev/stack": stack, "todostack.dev/namespace": namespace,
    })
}

fn service(labels: &Value) -> Result<Service> {
    let metadata = json!({"name": "shop-api", "labels": labels});
    Ok(serde_json::from_value(json!({"metadata": metadata, "spec": {"ports": [{"port": 80}]}}))?)
}

#[test]
fn a_service_with_all_labels_of_the_stack_is_kept_wherever_it_is() -> Result<()> {
    with_namespace("labels", async |namespace| {
        let elsewhere = Namespace::create(&namespace.cluster, "labels").await?;
        let outcome = async {
            let labels = labels(&namespace.name, "shop");
            elsewhere.api().create(&PostParams::default(), &service(&labels)?).await?;
            namespace.api().create(&PostParams::default(), &service(&labels)?).await?;
            let before = version(namespace, Kind::Service, "shop-api").await?;
            namespace.apply("shop", SQLITE).await?;
            namespace.until_not_ready("shop", Reason::NameConflict, "Service shop-api").await?;
            assert_eq!(version(namespace, Kind::Service, "shop-api").await?, before);
            namespace.api::<Service>().delete("shop-api", &DeleteParams::default()).await?;
            namespace.until_ready("shop").await.map(drop)
        }
        .await;
        let closed = elsewhere.close().await;
        outcome.and(closed)
    })
}

// One stack for each kind: its name, its spec, the foreign object, and what that object has beside metadata.
fn foreign() -> Vec<(&'static str, &'static str, Kind, &'static str, Value)> {
    let pod =
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let selector = json!({"matchLabels": {"a": "b"}});
    let replicas =
        json!({"spec": {"replicas": 0, "selector": selector, "template": pod, "serviceName": "s"}});
    let claim =
        json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let ingress = json!({"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}});
    let budget = json!({"spec": {"selector": selector, "maxUnavailable": 1}});
    let exposed = "{database: {sqlite: {}}, exposure: {ingress: {className: traefik}}}";
    let two = "{database: {external: {secret: {name: absent}}}, api: {replicas: 2}}";
    vec![
        ("account", SQLITE, Kind::ServiceAccount, "account", json!({})),
        ("deployment", SQLITE, Kind::Deployment, "deployment-api", replicas.clone()),
        ("sqlite", SQLITE, Kind::PersistentVolumeClaim, "sqlite-sqlite", claim.clone()),
        ("ingress", exposed, Kind::Ingress, "ingress", ingress),
        ("budget", two, Kind::PodDisruptionBudget, "budget-api", budget),
        ("app", "{}", Kind::Secret, "app-db-app", json!({})),
        ("superuser", "{}", Kind::Secret, "superuser-db-superuser", json!({})),
        ("claim", "{}", Kind::PersistentVolumeClaim, "claim-db", claim),
        ("set", "{}", Kind::StatefulSet, "set-db", replicas),
    ]
}

#[test]
fn a_foreign_object_of_any_kind_is_kept_although_it_has_all_labels() -> Result<()> {
    with_namespace("kinds", async |namespace| {
        for (stack, spec, kind, name, rest) in foreign() {
            let mut object = rest;
            let resource = kind.api_resource();
            object["apiVersion"] = json!(resource.api_version);
            object["kind"] = json!(resource.kind);
            object["metadata"] = json!({"name": name, "labels": labels(&namespace.name, stack)});
            let object: DynamicObject = serde_json::from_value(object)?;
            let created = api(namespace, kind).create(&PostParams::default(), &object).await;
            created.with_context(|| format!("failed to create {kind:?} {name}"))?;
            namespace.apply(stack, spec).await?;
        }
        for (stack, _, kind, name, _) in foreign() {
            let object = format!("{} {name}", <&str>::from(kind));
            namespace.until_not_ready(stack, Reason::NameConflict, &object).await?;
            let found = api(namespace, kind).get(name).await?;
            let managers: Vec<_> =
                found.managed_fields().iter().filter_map(|it| it.manager.as_deref()).collect();
            ensure!(!managers.contains(&"todostack-operator"), "{object}: {managers:?}");
            ensure!(found.owner_references().is_empty(), "{object} has an owner");
        }
        Ok(())
    })
}

// As after a restore by Velero, which removes owner references: nothing but the stack is created again.
#[test]
fn objects_that_have_lost_their_owner_are_taken_over_with_their_data() -> Result<()> {
    with_namespace("restored", async |namespace| {
        let old = namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let todo = namespace.todos("shop").add("outlive the stack").await?;
        let orphan = ["delete", "todostack", "shop", "--cascade=orphan"];
        namespace.kubectl(&orphan).await?;
        let new = namespace.apply("shop", "{api: {replicas: 1}}").await?;
        ensure!(old.uid() != new.uid(), "it is the same stack");
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, vec![todo]);
        let owners = namespace.api::<Deployment>().get("shop-api").await?.owner_references().to_vec();
        ensure!(owners.iter().map(|it| Some(&it.uid)).eq([new.uid().as_ref()]), "{owners:?}");
        Ok(())
    })
}

// `kubectl get -o yaml` shows no managed fields, so a Secret that is restored from it is foreign.
#[test]
fn the_remedy_hands_a_restored_secret_over_to_the_operator() -> Result<()> {
    with_namespace("handover", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let todo = namespace.todos("shop").add("outlive the Secret").await?;
        let password = namespace.password("shop-db-app").await?;
        let backup = namespace.kubectl(&["get", "secret", "shop-db-app", "--output", "yaml"]).await?;
        namespace.delete_and_wait("shop").await?;
        namespace.kubectl(&["delete", "secret", "shop-db-app"]).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("backup.yaml");
        std::fs::write(&file, backup)?;
        namespace.kubectl(&["apply", "--filename", &file.to_string_lossy()]).await?;
        namespace.apply("shop", "{api: {replicas: 1}}").await?;
        let message = namespace.until_not_ready("shop", Reason::NameConflict, "Secret shop-db-app").await?;
        let step = Step::Run { after: "hand it over", folder: Path::new("."), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.password("shop-db-app").await?, password);
        assert_eq!(namespace.todos("shop").list_eventually().await?, vec![todo]);
        Ok(())
    })
}

// The garbage collector deletes the objects of the earlier stack, and the operator waits for it.
#[test]
fn a_stack_that_is_created_again_at_once_becomes_ready() -> Result<()> {
    with_namespace("again", async |namespace| {
        namespace.apply_and_wait("shop", SQLITE).await?;
        let deployments = namespace.api::<Deployment>();
        let old = deployments.get("shop-api").await?;
        namespace.stacks().delete("shop", &DeleteParams::default()).await?;
        let new = namespace.apply("shop", SQLITE).await?;
        wait::until_replaced(&deployments, &old, SOON).await?;
        namespace.until_ready("shop").await?;
        let owners = deployments.get("shop-api").await?.owner_references().to_vec();
        ensure!(owners.iter().map(|it| Some(&it.uid)).eq([new.uid().as_ref()]), "{owners:?}");
        Ok(())
    })
}

fn api(namespace: &Namespace, kind: Kind) -> Api<DynamicObject> {
    Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &kind.api_resource())
}

async fn version(namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<String>> {
    Ok(api(namespace, kind).get(name).await?.resource_version())
}
