//! Logins that change while a stack serves: a Secret that its owner edits, and generated ones that are deleted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{Pod, Secret},
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use todostack_e2e::{
    credentials::Login,
    namespace::{Namespace, with_namespace},
    stack::READY_WITHIN,
    wait,
};
use tokio::task::JoinHandle;

const OLD: &str = "old-3c8e, one";
const NEW: &str = "new-1b6d, one";

#[tokio::test]
async fn a_changed_secret_reaches_the_server_before_the_pods_and_nobody_notices() -> Result<()> {
    with_namespace("rotate", async |namespace| {
        namespace.bring("own", Login { username: "shop", password: OLD.as_bytes() }, &[]).await?;
        namespace.apply("shop", "{database: {postgres: {credentialsSecret: {name: own}}}}").await?;
        namespace.ready("shop").await?;
        let before = vec![namespace.todos("shop").add("outlive the change").await?];
        let old_pods = api_pods(namespace).await?;

        let caller = Caller::start(namespace);
        namespace.bring("own", Login { username: "shop", password: NEW.as_bytes() }, &[]).await?;
        let new_pods = replaced(namespace, &old_pods).await?;
        let calls = caller.stop().await?;
        ensure!(calls > 20, "{calls} calls show little");

        altered_before(namespace, &new_pods).await?;
        assert_eq!(namespace.todos("shop").answered().await?, before);
        assert_eq!(namespace.log_in(("shop", NEW), "todo").await?, "shop");
        let refused =
            namespace.log_in(("shop", OLD), "todo").await.err().context("the old password works")?;
        ensure!(refused.to_string().contains("password authentication failed"), "{refused:#}");
        Ok(())
    })
    .await
}

async fn api_pods(namespace: &Namespace) -> Result<Vec<Pod>> {
    let its = ListParams::default().labels("todostack.dev/stack=shop,app.kubernetes.io/component=api");
    Ok(namespace.api::<Pod>().list(&its).await?.items)
}

/// Waits until none of the old pods is left, and gives the new ones back.
async fn replaced(namespace: &Namespace, old: &[Pod]) -> Result<Vec<Pod>> {
    let old: Vec<_> = old.iter().map(ResourceExt::uid).collect();
    let pods = wait::eventually("replaced", READY_WITHIN, async || {
        let pods = api_pods(namespace).await?;
        let left = pods.iter().filter(|pod| old.contains(&pod.uid())).count();
        ensure!(left == 0, "{left} old pods left");
        Ok(pods)
    })
    .await?;
    namespace.ready("shop").await?;
    Ok(pods)
}

/// The Job that alters the role was done before the first new pod was made, and no new pod was ever refused.
async fn altered_before(namespace: &Namespace, pods: &[Pod]) -> Result<()> {
    let jobs = namespace.api::<Job>().list(&ListParams::default().labels("todostack.dev/stack=shop")).await?;
    let done = jobs.items.iter().filter_map(|job| job.status.as_ref()?.completion_time.clone()).max();
    let done = done.context("no Job is done")?;
    for pod in pods {
        let made: Time = pod.metadata.creation_timestamp.clone().context("no time")?;
        ensure!(
            made >= done,
            "{} was made at {:?}, the role altered by {:?}",
            pod.name_any(),
            made.0,
            done.0
        );
        let log = namespace.kubectl(&["logs", &pod.name_any()]).await?;
        ensure!(!log.contains("password authentication failed"), "{}: {log}", pod.name_any());
        let restarts = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
        assert_eq!(restarts.map(|it| it.restart_count).sum::<i32>(), 0, "{}", pod.name_any());
    }
    Ok(())
}

/// Somebody who reads and writes todos all the while, through the Service.
struct Caller {
    stop: Arc<AtomicBool>,
    calls: JoinHandle<Result<usize>>,
}

impl Caller {
    fn start(namespace: &Namespace) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (todos, ended) = (namespace.todos("shop"), Arc::clone(&stop));
        let calls = tokio::spawn(async move {
            let mut calls = 0;
            while !ended.load(Ordering::Relaxed) {
                let (status, body) = todos.call(Method::GET, "/todos", None).await?;
                ensure!(status == StatusCode::OK, "call {calls}: {status}: {body}");
                calls += 1;
            }
            Ok(calls)
        });
        Self { stop, calls }
    }

    /// Ends the calls and gives back how many there were, all answered.
    async fn stop(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.calls.await?
    }
}

#[tokio::test]
async fn generated_secrets_that_were_deleted_come_back_and_let_everybody_in() -> Result<()> {
    with_namespace("deleted", async |namespace| {
        namespace.apply("shop", "{api: {replicas: 1}}").await?;
        namespace.ready("shop").await?;
        let before = vec![namespace.todos("shop").add("outlive the Secrets").await?];
        for (secret, username, database) in
            [("shop-db-app", "todo", "todo"), ("shop-db-superuser", "postgres", "postgres")]
        {
            let old = namespace.password(secret).await?;
            assert_eq!(namespace.log_in((username, &old), database).await?, username);
            namespace.api::<Secret>().delete(secret, &DeleteParams::default()).await?;
            wait::eventually("let in by a new password", READY_WITHIN, async || {
                let new = namespace.password(secret).await?;
                ensure!(new != old, "{secret} is the old one");
                assert_eq!(namespace.log_in((username, &new), database).await?, username);
                Ok(())
            })
            .await?;
            let refused = namespace.log_in((username, &old), database).await.err();
            let refused = refused.with_context(|| format!("the old password of {secret} works"))?;
            ensure!(refused.to_string().contains("password authentication failed"), "{refused:#}");
            namespace.ready("shop").await?;
            assert_eq!(namespace.todos("shop").answered().await?, before, "after {secret}");
        }
        Ok(())
    })
    .await
}
