//! Credentials that change while a stack serves: a user edits their Secret, or deletes a generated one.

use std::{env, time::Instant};

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    api::core::v1::{Pod, Secret},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use todostack_e2e::{
    credentials::Login,
    figure,
    namespace::{Namespace, with_namespace},
    readers::Readers,
    stack::READY_WITHIN,
    wait,
};

const OLD: Login<'_> = Login { username: "shop", password: "old-3c8e, one" };
const NEW: Login<'_> = Login { username: "shop", password: "new-1b6d, one" };

#[test]
fn a_changed_password_is_set_on_the_server_before_the_pods_and_no_request_fails() -> Result<()> {
    with_namespace("rotate", async |namespace| {
        namespace.apply_login("own", OLD).await?;
        let database = "{postgres: {credentialsSecret: {name: own}}}";
        let spec = format!("{{database: {database}, exposure: {{host: {}}}}}", host(namespace));
        namespace.apply_and_wait("shop", &spec).await?;
        let before = vec![namespace.todos("shop").add("outlive the change").await?];
        let old_pods = api_pods(namespace).await?;

        let readers = Readers::start(&host(namespace)).await?;
        namespace.apply_login("own", NEW).await?;
        let new_pods = until_all_replaced(namespace, &old_pods).await?;
        readers.stop().await?;

        ensure_altered_before(namespace, &new_pods).await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        assert_eq!(namespace.log_in(NEW, "todo").await?, "shop");
        namespace.log_in_fails(OLD, "todo").await
    })
}

fn host(namespace: &Namespace) -> String {
    format!("{}.localhost", namespace.name)
}

async fn api_pods(namespace: &Namespace) -> Result<Vec<Pod>> {
    let labels = "todostack.dev/stack=shop,app.kubernetes.io/component=api";
    Ok(namespace.api::<Pod>().list(&ListParams::default().labels(labels)).await?.items)
}

// Waits until no old pod exists, and returns the new ones.
async fn until_all_replaced(namespace: &Namespace, old: &[Pod]) -> Result<Vec<Pod>> {
    let old: Vec<_> = old.iter().map(ResourceExt::uid).collect();
    let pods = wait::eventually("replaced", READY_WITHIN, async || {
        let pods = api_pods(namespace).await?;
        let left = pods.iter().filter(|pod| old.contains(&pod.uid())).count();
        ensure!(left == 0, "{left} old pods left");
        Ok(pods)
    })
    .await?;
    namespace.until_ready("shop").await?;
    Ok(pods)
}

// Fails unless a migration altered the role before the first new pod was created, and no new pod failed to
// log in.
async fn ensure_altered_before(namespace: &Namespace, pods: &[Pod]) -> Result<()> {
    let migrations =
        ListParams::default().labels("todostack.dev/stack=shop,app.kubernetes.io/component=migration");
    let migrations = namespace.api::<Pod>().list(&migrations).await?.items;
    // The init container alters the role. The Job completes a moment later, which the operator does not
    // await.
    let ends = migrations.iter().filter_map(|pod| {
        let roles =
            pod.status.as_ref()?.init_container_statuses.as_ref()?.iter().find(|it| it.name == "roles")?;
        roles.state.as_ref()?.terminated.as_ref()?.finished_at.clone()
    });
    let altered = ends.max().context("no migration has altered the role")?;
    for pod in pods {
        let name = pod.name_any();
        let created: Time = pod.metadata.creation_timestamp.clone().context("no creationTimestamp")?;
        ensure!(created >= altered, "{name}: created {:?}, role altered {:?}", created.0, altered.0);
        let log = namespace.kubectl(&["logs", &name]).await?;
        ensure!(!log.contains("password authentication failed"), "{name}: {log}");
        let statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
        assert_eq!(statuses.map(|it| it.restart_count).sum::<i32>(), 0, "{name}");
    }
    Ok(())
}

#[test]
fn deleted_generated_secrets_are_created_again_with_passwords_that_work() -> Result<()> {
    with_namespace("deleted", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let before = vec![namespace.todos("shop").add("outlive the Secrets").await?];
        for (secret, username, database) in
            [("shop-db-app", "todo", "todo"), ("shop-db-superuser", "postgres", "postgres")]
        {
            let old = namespace.password(secret).await?;
            let old = Login { username, password: &old };
            assert_eq!(namespace.log_in(old, database).await?, username);
            namespace.api::<Secret>().delete(secret, &DeleteParams::default()).await?;
            wait::eventually("able to log in with a new password", READY_WITHIN, async || {
                let new = namespace.password(secret).await?;
                ensure!(new != old.password, "{secret} has the old password");
                assert_eq!(namespace.log_in(Login { username, password: &new }, database).await?, username);
                Ok(())
            })
            .await?;
            namespace.log_in_fails(old, database).await?;
            namespace.until_ready("shop").await?;
            assert_eq!(namespace.todos("shop").list_eventually().await?, before, "after {secret}");
        }
        Ok(())
    })
}

// Rotations of the test; more by hand.
const ROTATIONS: &str = "TODOSTACK_ROTATIONS";

#[test]
fn rotations_by_annotation_fail_no_request_and_close_the_earlier_login() -> Result<()> {
    with_namespace("annotation", async |namespace| {
        let rotations = env::var(ROTATIONS).map_or(Ok(3), |text| text.parse()).context(ROTATIONS)?;
        let spec = format!("{{exposure: {{host: {}}}}}", host(namespace));
        namespace.apply_and_wait("shop", &spec).await?;
        let readers = Readers::start(&host(namespace)).await?;
        let mut username = "todo";
        for rotation in 0..rotations {
            let start = Instant::now();
            let old = namespace.password("shop-db-app").await?;
            let old_pods = api_pods(namespace).await?;
            let value = format!("todostack.dev/rotate={rotation}");
            namespace.kubectl(&["annotate", "--overwrite", "todostack/shop", &value]).await?;
            until_all_replaced(namespace, &old_pods).await?;
            let closed = Login { username, password: &old };
            wait::eventually("closed", READY_WITHIN, async || namespace.log_in_fails(closed, "todo").await)
                .await?;
            figure::print("a rotation, until the earlier login is closed", start.elapsed())?;
            username = if username == "todo" { "todo_b" } else { "todo" };
            let password = namespace.password("shop-db-app").await?;
            let new = Login { username, password: &password };
            assert_eq!(namespace.log_in(new, "todo").await?, username);
        }
        readers.stop().await
    })
}
