//! Stacks that ask for a larger volume: where it can grow, where it cannot, and the way back.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::api::{Patch, PatchParams};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::{ConditionType, Reason, TodoStack};
use todostack_e2e::{
    cluster_objects::with_object,
    namespace::{Namespace, with_namespace, with_namespace_on_nfs_node},
    nfs_node::postgres_on_export,
    remedy::Step,
    stack::{SOON, condition},
    wait,
};

// How long the operator waits for a resizer, and as long again for its next reconcile.
const SILENT_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);

// Waits until StorageReady has this reason while the stack is Ready, and returns its message.
async fn until_storage(namespace: &Namespace, reason: Reason, mention: &str) -> Result<String> {
    let shows = |stack: Option<&TodoStack>| {
        stack.is_some_and(|stack| {
            let is = |type_, test: &dyn Fn(&str, &str, &str) -> bool| {
                condition(stack, type_).is_some_and(|it| test(&it.status, &it.reason, &it.message))
            };
            is(ConditionType::Ready, &|status, _, _| status == "True")
                && is(ConditionType::StorageReady, &|status, is, message| {
                    status == "True" && is == reason.as_str() && message.contains(mention)
                })
        })
    };
    let expected = format!("{reason:?} with `{mention}`");
    let stack = wait::until(&namespace.stacks(), "shop", &expected, SILENT_WITHIN, shows).await?;
    let storage = stack.as_ref().and_then(|stack| condition(stack, ConditionType::StorageReady));
    Ok(storage.context("the stack does not exist")?.message.clone())
}

async fn change(namespace: &Namespace, database: &str) -> Result<()> {
    let spec: Value = serde_saphyr::from_str(&format!("{{database: {database}}}"))?;
    let patch = Patch::Merge(json!({"spec": spec}));
    namespace.stacks().patch("shop", &PatchParams::default(), &patch).await?;
    Ok(())
}

async fn requested(namespace: &Namespace, claim: &str) -> Result<String> {
    let claim = namespace.api::<PersistentVolumeClaim>().get(claim).await?;
    let requests = claim.spec.and_then(|spec| spec.resources?.requests);
    Ok(requests.and_then(|requests| requests.get("storage").cloned()).context("no request")?.0)
}

async fn until_bound_size(namespace: &Namespace, size: &str) -> Result<()> {
    let has_size = |stack: Option<&TodoStack>| {
        let storage = stack.and_then(|stack| stack.status.as_ref()?.storage.as_ref());
        storage.and_then(|storage| storage.size.as_deref()) == Some(size)
    };
    wait::until(&namespace.stacks(), "shop", size, SOON, has_size).await.map(drop)
}

#[rstest]
#[case::postgres("postgres", "shop-db")]
#[case::sqlite("sqlite", "shop-sqlite")]
fn a_volume_that_cannot_grow_keeps_serving_and_the_size_can_go_back(
    #[case] kind: &str,
    #[case] claim: &str,
) -> Result<()> {
    with_namespace("cannotgrow", async |namespace| {
        let sized = |size: &str| format!("{{{kind}: {{storage: {{size: {size}}}}}}}");
        namespace.apply_and_wait("shop", &format!("{{database: {}}}", sized("1Gi"))).await?;
        until_bound_size(namespace, "1Gi").await?;
        change(namespace, &sized("5Gi")).await?;
        let message = until_storage(namespace, Reason::VolumeCannotGrow, "StorageClass standard").await?;
        assert_eq!(requested(namespace, claim).await?, "1Gi");
        let field = format!("spec.database.{kind}.storage.size");
        namespace.follow("shop", &message, Step::Set(&field, None)).await?;
        until_storage(namespace, Reason::AsExpected, "is bound").await?;
        // The block may go too: its default is what is bound.
        change(namespace, &format!("{{{kind}: {{storage: null}}}}")).await?;
        namespace.until_ready("shop").await?;
        let smaller = change(namespace, &sized("512Mi")).await.err().context("it shrank")?;
        ensure!(smaller.to_string().contains("storage.size cannot shrink"), "{smaller}");
        Ok(())
    })
}

#[test]
fn the_size_of_an_export_can_change_and_go_back() -> Result<()> {
    with_namespace_on_nfs_node("exportsize", async |namespace| {
        let path = namespace.export().await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {}}}}}", postgres_on_export(&path));
        namespace.apply_and_wait("shop", &spec).await?;
        until_bound_size(namespace, "1Gi").await?;
        for size in ["5Gi", "1Gi"] {
            change(namespace, &format!("{{postgres: {{storage: {{size: {size}}}}}}}")).await?;
            namespace.until_ready("shop").await?;
            until_storage(namespace, Reason::AsExpected, "is bound").await?;
        }
        Ok(())
    })
}

// The class allows growth, and its provisioner has no resizer: the test reports in its place.
#[test]
fn a_volume_that_grows_shows_each_stage_until_it_has_grown() -> Result<()> {
    with_namespace("grows", async |namespace| {
        let class: StorageClass = serde_json::from_value(json!({
            "metadata": {"name": namespace.name}, "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true,
        }))?;
        with_object(&namespace.cluster.api(), &class, async || grow(namespace).await).await
    })
}

async fn grow(namespace: &Namespace) -> Result<()> {
    let sized = |size: &str| {
        format!("{{sqlite: {{storage: {{size: {size}, storageClassName: {}}}}}}}", namespace.name)
    };
    namespace.apply_and_wait("shop", &format!("{{database: {}}}", sized("1Gi"))).await?;
    until_bound_size(namespace, "1Gi").await?;
    change(namespace, &sized("2Gi")).await?;
    until_storage(namespace, Reason::Progressing, "grows from 1Gi to 2Gi: its provisioner").await?;
    assert_eq!(requested(namespace, "shop-sqlite").await?, "2Gi");
    until_storage(namespace, Reason::ResizeFailed, "does not resize volumes").await?;

    let report = async |type_: &str, capacity: &str| {
        let condition = json!({"type": type_, "status": "True", "message": "no space"});
        let status = json!({"status": {"conditions": [condition], "capacity": {"storage": capacity}}});
        let claims = namespace.api::<PersistentVolumeClaim>();
        claims.patch_status("shop-sqlite", &PatchParams::default(), &Patch::Merge(status)).await
    };
    report("FileSystemResizePending", "1Gi").await?;
    until_storage(namespace, Reason::Progressing, "the node has yet to grow the file system").await?;
    report("ControllerResizeError", "1Gi").await?;
    let message = until_storage(namespace, Reason::ResizeFailed, "no space").await?;
    namespace.follow("shop", &message, Step::Set("spec.database.sqlite.storage.size", None)).await?;
    until_storage(namespace, Reason::AsExpected, "is bound").await?;

    change(namespace, &sized("2Gi")).await?;
    report("Resizing", "2Gi").await?;
    until_storage(namespace, Reason::AsExpected, "is bound").await?;
    until_bound_size(namespace, "2Gi").await?;
    let back = change(namespace, &sized("1Gi")).await.err().context("it shrank")?;
    ensure!(back.to_string().contains("storage.size cannot shrink"), "{back}");
    namespace.until_ready("shop").await.map(drop)
}
