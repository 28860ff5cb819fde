//! A stack that works: created, used, restarted, beside another one.

use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use http::{Method, StatusCode};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Pod, Secret},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, EvictParams, ListParams},
};
use serde_json::json;
use todostack_e2e::{
    figure,
    namespace::{Namespace, with_namespace},
    stack::READY_WITHIN,
    todos::Todos,
    wait,
};

#[tokio::test]
async fn a_stack_becomes_ready_and_serves_todos_through_the_ingress() -> Result<()> {
    with_namespace("life", async |namespace| {
        let host = format!("{}.localhost", namespace.name);
        let applied = Instant::now();
        namespace.apply("shop", &format!("{{exposure: {{host: {host}}}}}")).await?;
        let stack = namespace.ready("shop").await?;
        figure::print("a stack, from apply to Ready", applied.elapsed())?;

        let status = stack.status.context("no status")?;
        ensure!(status.url.as_deref().is_some_and(|url| url.contains(&host)), "url: {:?}", status.url);
        ensure!(status.api.as_ref().is_some_and(|api| api.ready == "2/2"), "api: {:?}", status.api);
        let version = status.database.map(|it| it.version);
        ensure!(version.as_deref() == Some("postgres 18"), "database: {version:?}");

        create_read_update_delete(&Todos::at(&host)).await
    })
    .await
}

async fn create_read_update_delete(todos: &Todos) -> Result<()> {
    assert_eq!(todos.answered().await?, vec![]);
    let made = todos.add("Water the plants").await?;
    ensure!(!made.completed && made.title == "Water the plants", "{made:?}");
    let path = made.url.find("/todos/").and_then(|at| made.url.get(at..)).context("url has no /todos/")?;

    let (status, body) = todos.call(Method::PATCH, path, Some(json!({"completed": true}))).await?;
    ensure!(status == StatusCode::OK && body.get("completed") == Some(&json!(true)), "{status}: {body}");
    let (status, body) = todos.call(Method::GET, path, None).await?;
    ensure!(
        status == StatusCode::OK && body.get("title") == Some(&json!("Water the plants")),
        "{status}: {body}"
    );
    let (status, _) = todos.call(Method::DELETE, path, None).await?;
    ensure!(status == StatusCode::NO_CONTENT, "{status}");
    let (status, problem) = todos.call(Method::GET, path, None).await?;
    ensure!(
        status == StatusCode::NOT_FOUND && problem.get("status") == Some(&json!(404)),
        "{status}: {problem}"
    );
    Ok(())
}

#[tokio::test]
async fn todos_outlive_the_deletion_of_the_database_pod_and_of_the_api_pods() -> Result<()> {
    with_namespace("restart", async |namespace| {
        namespace.apply("shop", "{}").await?;
        namespace.ready("shop").await?;
        let todos = namespace.todos("shop");
        let before = vec![todos.add("survive the database's end").await?];

        replace_pods(namespace, "database", 1).await?;
        namespace.ready("shop").await?;
        assert_eq!(todos.answered().await?, before);

        replace_pods(namespace, "api", 2).await?;
        namespace.ready("shop").await?;
        assert_eq!(todos.answered().await?, before);
        Ok(())
    })
    .await
}

/// Deletes the pods of a component and waits until as many others are Ready.
async fn replace_pods(namespace: &Namespace, component: &str, count: usize) -> Result<()> {
    let pods = namespace.api::<Pod>();
    let labels = format!("todostack.dev/stack=shop,app.kubernetes.io/component={component}");
    let those = ListParams::default().labels(&labels);
    let old: Vec<_> = pods.list(&those).await?.items.iter().filter_map(ResourceExt::uid).collect();
    assert_eq!(old.len(), count, "pods of {component} before");
    pods.delete_collection(&DeleteParams::default(), &those).await?;
    wait::eventually("replaced by Ready pods", READY_WITHIN, async || {
        let present = pods.list(&those).await?.items;
        let new =
            present.iter().filter(|pod| is_ready(pod) && pod.uid().is_some_and(|uid| !old.contains(&uid)));
        ensure!(new.count() == count, "{} pods of {component}", present.len());
        Ok(())
    })
    .await
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

#[tokio::test]
async fn two_stacks_of_one_name_in_two_namespaces_share_nothing() -> Result<()> {
    with_namespace("one", async |one| {
        with_namespace_beside(one, async |two| {
            for namespace in [one, two] {
                namespace.apply("shop", "{api: {replicas: 1}}").await?;
            }
            one.ready("shop").await?;
            two.ready("shop").await?;
            let there = one.todos("shop").add("only here").await?;
            assert_eq!(one.todos("shop").answered().await?, vec![there]);
            assert_eq!(two.todos("shop").answered().await?, vec![]);
            assert_ne!(password(one).await?, password(two).await?);
            Ok(())
        })
        .await
    })
    .await
}

/// A second namespace within one test, removed whatever the test's outcome.
async fn with_namespace_beside<F>(first: &Namespace, test: F) -> Result<()>
where
    F: AsyncFnOnce(&Namespace) -> Result<()>,
{
    let second = Namespace::create(&first.cluster, "two").await?;
    let outcome = test(&second).await;
    let ended = second.end().await;
    outcome.and(ended)
}

async fn password(namespace: &Namespace) -> Result<Vec<u8>> {
    let secret = namespace.api::<Secret>().get("shop-db-app").await?;
    let password = secret.data.and_then(|mut data| data.remove("password"));
    Ok(password.context("shop-db-app has no password")?.0)
}

#[tokio::test]
async fn a_removed_child_comes_back_and_an_edited_one_is_put_right() -> Result<()> {
    with_namespace("repair", async |namespace| {
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.ready("shop").await?;
        let services = namespace.api::<k8s_openapi::api::core::v1::Service>();
        let uid = services.get("shop-api").await?.uid();
        services.delete("shop-api", &DeleteParams::default()).await?;
        let back =
            |found: Option<&k8s_openapi::api::core::v1::Service>| found.is_some_and(|it| it.uid() != uid);
        wait::until(&services, "shop-api", ("made again", READY_WITHIN), back).await?;

        namespace.kubectl(&["set", "image", "deployment/shop-api", "api=localhost/other:1"]).await?;
        let restored = |found: Option<&Deployment>| {
            let template = found.and_then(|it| it.spec.as_ref()).and_then(|spec| spec.template.spec.as_ref());
            template.is_some_and(|pod| {
                pod.containers.iter().all(|it| it.image.as_deref() != Some("localhost/other:1"))
            })
        };
        wait::until(&namespace.api(), "shop-api", ("put right", READY_WITHIN), restored).await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_drain_evicts_one_api_pod_at_a_time() -> Result<()> {
    with_namespace("drain", async |namespace| {
        namespace.apply("shop", "{}").await?;
        namespace.ready("shop").await?;
        let budgets = namespace.api::<PodDisruptionBudget>();
        let allows = |allowed: i32| {
            move |found: Option<&PodDisruptionBudget>| {
                let status = found.and_then(|budget| budget.status.as_ref());
                status.is_some_and(|status| status.disruptions_allowed == Some(allowed))
            }
        };
        wait::until(&budgets, "shop-api", ("one disruption allowed", READY_WITHIN), allows(1)).await?;

        let pods = namespace.api::<Pod>();
        let of_api = ListParams::default().labels("app.kubernetes.io/component=api");
        let names: Vec<_> = pods.list(&of_api).await?.iter().map(ResourceExt::name_any).collect();
        let [first, second] = names.as_slice() else { bail!("API pods: {names:?}") };
        pods.evict(first, &EvictParams::default()).await?;
        let refused = pods.evict(second, &EvictParams::default()).await;
        let error = refused.err().context("both API pods were evicted at once")?;
        ensure!(matches!(&error, kube::Error::Api(status) if status.code == 429), "{error}");
        wait::until(&budgets, "shop-api", ("one disruption allowed", READY_WITHIN), allows(1)).await?;
        Ok(())
    })
    .await
}
