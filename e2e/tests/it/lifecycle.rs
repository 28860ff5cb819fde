//! A stack that works: created, used, restarted, repaired, drained, and beside another one.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Pod, Service},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, EvictParams, ListParams},
};
use rstest::rstest;
use serde_json::json;
use todostack_e2e::{
    figure,
    namespace::{Namespace, with_namespace},
    stack::READY_WITHIN,
    todos::Todos,
    wait,
};

#[test]
fn a_stack_becomes_ready_and_serves_todos_through_the_ingress() -> Result<()> {
    with_namespace("life", async |namespace| {
        let host = format!("{}.localhost", namespace.name);
        let applied = Instant::now();
        let stack = namespace.apply_and_wait("shop", &format!("{{exposure: {{host: {host}}}}}")).await?;
        figure::print("a stack, from apply to Ready", applied.elapsed())?;

        let status = stack.status.context("no status")?;
        ensure!(status.url.as_deref().is_some_and(|url| url.contains(&host)), "url: {:?}", status.url);
        ensure!(status.api.as_ref().is_some_and(|api| api.ready == "2/2"), "api: {:?}", status.api);
        let version = status.database.map(|it| it.version);
        ensure!(version.as_deref() == Some("postgres 18"), "database: {version:?}");

        create_read_update_delete(&Todos::at_host(&host)).await
    })
}

async fn create_read_update_delete(todos: &Todos) -> Result<()> {
    assert_eq!(todos.list_eventually().await?, vec![]);
    let todo = todos.add("Water the plants").await?;
    ensure!(!todo.completed && todo.title == "Water the plants", "{todo:?}");
    let path = todo.url.find("/todos/").and_then(|at| todo.url.get(at..)).context("url has no /todos/")?;

    let (status, body) = todos.call(Method::PATCH, path, Some(json!({"completed": true}))).await?;
    ensure!(status == StatusCode::OK && body.get("completed") == Some(&json!(true)), "{status}: {body}");
    let (status, body) = todos.call(Method::GET, path, None).await?;
    let title = body.get("title");
    ensure!(status == StatusCode::OK && title == Some(&json!("Water the plants")), "{status}: {body}");
    let (status, _) = todos.call(Method::DELETE, path, None).await?;
    ensure!(status == StatusCode::NO_CONTENT, "{status}");
    let (status, body) = todos.call(Method::GET, path, None).await?;
    ensure!(status == StatusCode::NOT_FOUND && body.get("status") == Some(&json!(404)), "{status}: {body}");
    Ok(())
}

#[rstest]
#[case::v15("15")]
#[case::v17("17")]
#[case::v18("18")]
fn todos_and_what_init_scripts_created_outlive_the_pods_with_every_version(
    #[case] version: &str,
) -> Result<()> {
    with_namespace("restart", async |namespace| {
        let script = "--from-literal=seed.sql=create table seed as select 7 as number";
        namespace.kubectl(&["create", "configmap", "seed", script]).await?;
        let postgres = format!("{{version: '{version}', initScripts: {{configMap: {{name: seed}}}}}}");
        namespace.apply_and_wait("shop", &format!("{{database: {{postgres: {postgres}}}}}")).await?;
        let todos = namespace.todos("shop");
        let before = vec![todos.add("outlive the pods").await?];
        for (component, count) in [("database", 1), ("api", 2)] {
            replace_pods(namespace, component, count).await?;
            namespace.until_ready("shop").await?;
            assert_eq!(todos.list_eventually().await?, before);
        }
        let query = "select number, current_setting('server_version_num')::int / 10000 from seed";
        let exec = ["exec", "shop-db-0", "--container", "postgres", "--"];
        let psql = ["psql", "--username=postgres", "--dbname=todo", "-Atc", query];
        let found = namespace.kubectl(&[&exec[..], &psql[..]].concat()).await?;
        assert_eq!(found.trim(), format!("7|{version}"));
        Ok(())
    })
}

// Deletes the pods of a component and waits until as many new ones are Ready.
async fn replace_pods(namespace: &Namespace, component: &str, count: usize) -> Result<()> {
    let pods = namespace.api::<Pod>();
    let labels = format!("todostack.dev/stack=shop,app.kubernetes.io/component={component}");
    let of_component = ListParams::default().labels(&labels);
    let old: Vec<_> = pods.list(&of_component).await?.items.iter().filter_map(ResourceExt::uid).collect();
    assert_eq!(old.len(), count, "pods of {component} before");
    pods.delete_collection(&DeleteParams::default(), &of_component).await?;
    wait::eventually("replaced by Ready pods", READY_WITHIN, async || {
        let present = pods.list(&of_component).await?.items;
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

#[test]
fn stacks_with_the_same_name_in_two_namespaces_share_nothing() -> Result<()> {
    with_namespace("one", async |one| {
        let two = Namespace::create(&one.cluster, "two").await?;
        let outcome = ensure_nothing_shared(one, &two).await;
        let closed = two.close().await;
        outcome.and(closed)
    })
}

async fn ensure_nothing_shared(one: &Namespace, two: &Namespace) -> Result<()> {
    for namespace in [one, two] {
        namespace.apply("shop", "{api: {replicas: 1}}").await?;
    }
    one.until_ready("shop").await?;
    two.until_ready("shop").await?;
    let todo = one.todos("shop").add("only here").await?;
    assert_eq!(one.todos("shop").list_eventually().await?, vec![todo]);
    assert_eq!(two.todos("shop").list_eventually().await?, vec![]);
    assert_ne!(one.password("shop-db-app").await?, two.password("shop-db-app").await?);
    Ok(())
}

#[test]
fn a_deleted_managed_resource_is_created_again_and_an_edited_one_is_corrected() -> Result<()> {
    with_namespace("repair", async |namespace| {
        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        let services = namespace.api::<Service>();
        let deleted = services.get("shop-api").await?;
        services.delete("shop-api", &DeleteParams::default()).await?;
        wait::until_replaced(&services, &deleted, READY_WITHIN).await?;

        namespace.kubectl(&["set", "image", "deployment/shop-api", "api=localhost/other:1"]).await?;
        let is_corrected = |deployment: Option<&Deployment>| {
            let template = deployment.and_then(|it| it.spec.as_ref()).map(|spec| &spec.template);
            template.and_then(|it| it.spec.as_ref()).is_some_and(|pod| {
                pod.containers.iter().all(|it| it.image.as_deref() != Some("localhost/other:1"))
            })
        };
        wait::until(&namespace.api(), "shop-api", "corrected", READY_WITHIN, is_corrected).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn a_drain_evicts_one_api_pod_at_a_time() -> Result<()> {
    with_namespace("drain", async |namespace| {
        namespace.apply_and_wait("shop", "{}").await?;
        until_disruption_allowed(namespace).await?;

        let pods = namespace.api::<Pod>();
        let of_api = ListParams::default().labels("app.kubernetes.io/component=api");
        let evicted: Vec<_> = pods.list(&of_api).await?.iter().map(ResourceExt::name_any).collect();
        for name in &evicted {
            // Like kubectl drain, the client retries an eviction that the budget rejects with 429.
            pods.evict(name, &EvictParams::default()).await?;
        }
        let current = pods.list(&of_api).await?;
        let is_replacement = |pod: &&Pod| !evicted.contains(&pod.name_any());
        let ready = current.iter().filter(is_replacement).filter(|pod| is_ready(pod)).count();
        ensure!(evicted.len() == 2 && ready > 0, "{evicted:?} were evicted before a replacement was ready");
        Ok(())
    })
}

async fn until_disruption_allowed(namespace: &Namespace) -> Result<()> {
    let is_allowed = |budget: Option<&PodDisruptionBudget>| {
        let status = budget.and_then(|budget| budget.status.as_ref());
        status.is_some_and(|status| status.disruptions_allowed == Some(1))
    };
    let expected = "allowing one disruption";
    wait::until(&namespace.api(), "shop-api", expected, READY_WITHIN, is_allowed).await.map(drop)
}
