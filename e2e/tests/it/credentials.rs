//! Credentials that a user gives or edits by hand: they work, or they are reported by key. Rotation under
//! requests is in `credential_rotation.rs`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::Secret};
use kube::api::{ListParams, Patch, PatchParams};
use rstest::rstest;
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    remedy::Step,
    stack::READY_WITHIN,
    symptom::Symptom,
    wait,
};

#[rstest]
fn a_reserved_username_is_reported_by_key_and_no_job_is_created(
    #[values("postgres", "pg_monitor", "todostack_owner")] username: &str,
) -> Result<()> {
    with_namespace("reserved", async |namespace| {
        namespace.apply_login("own", Login { username, password: "hush-1f7b" }).await?;
        let spec = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
        let message = watch.diagnosed_as(Reason::SecretKeyInvalid, "key username").await?;
        let jobs = namespace.api::<Job>().list(&ListParams::default()).await?;
        assert_eq!(jobs.items.len(), 0);
        let step = Step::Run { after: "key username", folder: Path::new("."), values: &["shop"] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[rstest]
#[case::sslmode("sslmode", "verify_full", "disable")]
#[case::port("port", "postgres", "5432")]
#[case::host("host", "postgres://db", "shop-database")]
fn a_value_that_the_client_does_not_understand_is_reported_by_key(
    #[case] key: &str,
    #[case] value: &str,
    #[case] correct: &str,
) -> Result<()> {
    with_namespace("key", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        let Login { username, password } = OWNER;
        let mut data = vec![
            ("host", "shop-database"),
            ("dbname", "shop"),
            ("username", username),
            ("password", password),
        ];
        data.retain(|(other, _)| *other != key);
        data.push((key, value));
        namespace.apply_secret("own", &data).await?;
        let spec = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
        let message = watch.diagnosed_as(Reason::SecretKeyInvalid, &format!("key {key}")).await?;
        let step = Step::Run { after: "Set it", folder: Path::new("."), values: &[correct] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn the_superuser_is_rejected_from_other_pods_and_the_login_of_the_job_may_not_do_its_work() -> Result<()> {
    with_namespace("superuser", async |namespace| {
        // For a pod with psql.
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let superuser = namespace.password("shop-db-superuser").await?;
        let application = namespace.password("shop-db-app").await?;
        for (username, password, query, expected) in [
            ("postgres", &superuser, "select 1", "pg_hba.conf rejects connection"),
            ("todostack_jobs", &superuser, "create role other", "permission denied to create role"),
            ("todo", &application, "create role other", "permission denied to create role"),
        ] {
            let psql =
                "PGPASSWORD=\"$2\" exec psql --host=shop-db --username=\"$1\" --dbname=todo --command=\"$3\"";
            let exec = ["exec", "deployment/shop-database", "--", "sh", "-c", psql, "psql"];
            let outcome = namespace.kubectl(&[&exec[..], &[username, password, query]].concat()).await;
            let error = outcome.err().with_context(|| format!("{username} may {query}"))?.to_string();
            ensure!(error.contains(expected), "{username}: {error}");
        }
        Ok(())
    })
}

#[test]
fn an_edited_password_of_a_generated_secret_is_set_on_the_server() -> Result<()> {
    with_namespace("edited", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        for (secret, username, database) in
            [("shop-db-app", "todo", "todo"), ("shop-db-superuser", "postgres", "postgres")]
        {
            let old = namespace.password(secret).await?;
            edit_password(namespace, secret, "edited-by-hand").await?;
            let new = Login { username, password: "edited-by-hand" };
            wait::eventually("able to log in with the edited password", READY_WITHIN, async || {
                namespace.log_in(new, database).await.map(drop)
            })
            .await?;
            namespace.log_in_fails(Login { password: &old, ..new }, database).await?;
            namespace.until_ready("shop").await?;
        }
        namespace.kubectl(&["rollout", "restart", "deployment/shop-api"]).await?;
        let status = ["rollout", "status", "deployment/shop-api", "--timeout=60s"];
        let printed = namespace.kubectl(&status).await?;
        ensure!(printed.contains("successfully rolled out"), "{printed}");
        Ok(())
    })
}

async fn edit_password(namespace: &Namespace, secret: &str, password: &str) -> Result<()> {
    let patch = Patch::Merge(json!({"stringData": {"password": password}}));
    namespace.api::<Secret>().patch(secret, &PatchParams::default(), &patch).await?;
    Ok(())
}

#[test]
fn another_username_may_alter_the_schema_and_the_earlier_one_is_closed() -> Result<()> {
    with_namespace("username", async |namespace| {
        let (first, second) = (
            Login { username: "todo_a", password: "first-5c1d" },
            Login { username: "todo_b", password: "second-7e3a" },
        );
        namespace.apply_login("own", first).await?;
        let spec = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
        namespace.apply_and_wait("shop", spec).await?;
        namespace.apply_login("own", second).await?;
        wait::eventually("able to log in with the new username", READY_WITHIN, async || {
            namespace.log_in(second, "todo").await.map(drop)
        })
        .await?;
        namespace.until_ready("shop").await?;
        wait::eventually("closed", READY_WITHIN, async || namespace.log_in_fails(first, "todo").await)
            .await?;
        let alter = "PGPASSWORD=second-7e3a exec psql --host=\"$(hostname -i)\" --username=todo_b --dbname=todo \
                     --command='alter table todos add column x integer'";
        let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c", alter];
        namespace.kubectl(&inside).await.map(drop)
    })
}

#[test]
fn pods_restart_with_the_accepted_credentials_while_a_wrong_password_is_reported() -> Result<()> {
    with_namespace("typo", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        namespace.apply_and_wait("shop", "{database: {external: {secret: {name: own}}}}").await?;
        namespace.apply_external_login("own", Login { password: "typo-4b9e", ..OWNER }).await?;
        let mention = "password authentication failed";
        namespace.until_not_ready("shop", Reason::AuthenticationFailed, mention).await?;
        let pods = ["delete", "pods", "--selector=app.kubernetes.io/component=api"];
        namespace.kubectl(&pods).await?;
        let status = ["rollout", "status", "deployment/shop-api", "--timeout=60s"];
        let printed = namespace.kubectl(&status).await?;
        ensure!(printed.contains("successfully rolled out"), "{printed}");
        namespace.apply_external_login("own", OWNER).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
