//! Another image of the API of a stack with SQLite, whose pod cannot run beside the next one.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams};
use todostack_crds::{ConditionType, TodoStack};
use todostack_e2e::{
    image,
    namespace::{Namespace, with_namespace},
    stack::{READY_WITHIN, condition},
    wait,
};

const TRIED: &str = "localhost/tried/api:1";
// It starts, and is no API.
const BROKEN: &str = "docker.io/library/postgres:18";

#[test]
fn an_image_that_cannot_serve_a_copy_of_the_file_replaces_no_pod() -> Result<()> {
    with_namespace("sqlite-images", async |namespace| {
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        let todo = namespace.todos("shop").add("tea").await?;
        let before = api_pods(namespace).await?;
        namespace
            .apply("shop", &format!("{{api: {{image: '{BROKEN}'}}, database: {{sqlite: {{}}}}}}"))
            .await?;
        let has_failed = |stack: Option<&TodoStack>| {
            let applied = stack.and_then(|stack| condition(stack, ConditionType::MigrationsApplied));
            applied.is_some_and(|it| it.status == "False" && it.message.contains("not found"))
        };
        wait::until(&namespace.stacks(), "shop", "failing its trial", READY_WITHIN, has_failed).await?;
        ensure!(api_pods(namespace).await? == before, "the pod was replaced");
        ensure!(namespace.todos("shop").list().await? == std::slice::from_ref(&todo));

        image::tag(&namespace.cluster.api_image().await?, TRIED).await?;
        namespace
            .apply("shop", &format!("{{api: {{image: '{TRIED}'}}, database: {{sqlite: {{}}}}}}"))
            .await?;
        // Ready throughout: while the image is tried, the old pod serves.
        wait::eventually("the pod replaced", READY_WITHIN, async || {
            ensure!(api_pods(namespace).await? != before, "the pod is the old one");
            Ok(())
        })
        .await?;
        namespace.until_ready("shop").await?;
        ensure!(namespace.todos("shop").list_eventually().await? == [todo]);
        Ok(())
    })
}

async fn api_pods(namespace: &Namespace) -> Result<Vec<String>> {
    let of_api = ListParams::default().labels("app.kubernetes.io/component=api");
    Ok(namespace.api::<Pod>().list(&of_api).await?.iter().map(ResourceExt::name_any).collect())
}
