//! When a schema is migrated: once for an image, credentials and a database, again after a failure, and again
//! for another database. What a failed migration is reported as is in `database_failures.rs`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::api::{DeleteParams, ListParams};
use rstest::rstest;
use todostack_crds::{ConditionType, Reason, TodoStack, status::MigrationStatus};
use todostack_e2e::{
    admission_policy::AdmissionPolicy,
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    stack::{READY_WITHIN, condition},
    symptom::Symptom,
    wait,
};

const EXTERNAL: &str = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";
const MANAGED: &str = "{api: {replicas: 1}}";
// From a correction outside the cluster to Ready.
const HEALED_WITHIN: Duration = Duration::from_mins(1);
const JOBS: [&str; 3] = ["delete", "jobs", "--selector=todostack.dev/stack=shop"];

fn migration(stack: &TodoStack) -> Result<MigrationStatus> {
    stack.status.clone().and_then(|status| status.migrations).context("no migration in the status")
}

// Waits until the stack was migrated again, and is Ready.
async fn until_migrated_again(namespace: &Namespace, before: &TodoStack) -> Result<TodoStack> {
    let before = migration(before)?.completion_time;
    let again = |stack: Option<&TodoStack>| {
        stack.is_some_and(|stack| {
            let is_again = migration(stack).is_ok_and(|it| it.completion_time != before);
            is_again && condition(stack, ConditionType::Ready).is_some_and(|ready| ready.status == "True")
        })
    };
    let healed = wait::until(&namespace.stacks(), "shop", "migrated again", HEALED_WITHIN, again).await?;
    healed.context("the stack does not exist")
}

#[test]
fn a_finished_job_that_is_deleted_changes_nothing() -> Result<()> {
    with_namespace("tidy", async |namespace| {
        let before = namespace.apply_and_wait("shop", MANAGED).await?;
        namespace.kubectl(&JOBS).await?;
        // An edit, so that the operator reconciles after the deletion.
        let after = namespace.apply_and_wait("shop", "{api: {replicas: 1, logLevel: debug}}").await?;
        assert_eq!(namespace.api::<Job>().list(&ListParams::default()).await?.items.len(), 0);
        assert_eq!(migration(&after)?, migration(&before)?);
        let since = |stack: &TodoStack| {
            condition(stack, ConditionType::MigrationsApplied).map(|it| it.last_transition_time.clone())
        };
        assert_eq!(since(&after), since(&before));
        Ok(())
    })
}

#[test]
fn an_external_database_that_was_created_again_is_migrated_again() -> Result<()> {
    with_namespace("again", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        let mut before = namespace.apply_and_wait("shop", EXTERNAL).await?;
        // Also if nothing is left of the Job, and more than once.
        for _ in 0..2 {
            for statement in ["drop database shop with (force)", "create database shop"] {
                namespace.external_psql_in("postgres", statement).await?;
            }
            before = until_migrated_again(namespace, &before).await?;
            namespace.todos("shop").add("on the new database").await?;
            namespace.kubectl(&JOBS).await?;
        }
        Ok(())
    })
}

// As a dump of an earlier version leaves it.
#[test]
fn a_managed_database_without_the_schema_is_migrated_again() -> Result<()> {
    with_namespace("emptied", async |namespace| {
        let before = namespace.apply_and_wait("shop", MANAGED).await?;
        in_database(
            namespace,
            "drop schema public cascade; create schema public authorization todostack_owner",
        )
        .await?;
        until_migrated_again(namespace, &before).await?;
        namespace.todos("shop").add("in the new schema").await.map(drop)
    })
}

async fn in_database(namespace: &Namespace, statement: &str) -> Result<String> {
    let psql =
        format!("psql --host=/var/run/postgresql --username=postgres --dbname=todo --command='{statement}'");
    let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c", &psql];
    namespace.kubectl(&inside).await
}

#[test]
fn a_password_that_was_changed_on_the_server_is_reported_and_heals_when_it_is_changed_back() -> Result<()> {
    with_namespace("server", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        let before = namespace.apply_and_wait("shop", EXTERNAL).await?;
        namespace.external_psql("alter role shop password 'another-3c8f'").await?;
        let connections =
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'todostack-api'";
        namespace.external_psql(connections).await?;
        let mention = "the Secret that spec.database references";
        namespace.until_not_ready("shop", Reason::AuthenticationFailed, mention).await?;
        let password = OWNER.password.replace('\'', "''");
        namespace.external_psql(&format!("alter role shop password '{password}'")).await?;
        until_migrated_again(namespace, &before).await.map(drop)
    })
}

#[test]
fn a_wrong_password_heals_when_the_server_gets_it() -> Result<()> {
    with_namespace("late", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        let late = Login { username: "late", password: "late-6d2b" };
        namespace.apply_external_login("own", late).await?;
        let symptom = Symptom::Event("Unhealthy", "shop-migrate-");
        namespace.ensure_diagnosed(EXTERNAL, symptom, Reason::AuthenticationFailed, "late").await?;
        namespace.external_psql("create role late superuser login password 'late-6d2b'").await?;
        let healed = async || {
            let stack = namespace.stacks().get("shop").await?;
            let ready = condition(&stack, ConditionType::Ready).context("no condition")?;
            ensure!(ready.status == "True", "{ready:?}");
            Ok(())
        };
        wait::eventually("healed", HEALED_WITHIN, healed).await
    })
}

// Attempts that failed are no evidence once one has succeeded.
#[test]
fn a_migration_that_succeeds_at_a_later_attempt_leaves_no_finding() -> Result<()> {
    with_namespace("second", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.external_psql("create role guest login password 'guest-5b2a'").await?;
        let guest = Login { username: "guest", password: "guest-5b2a" };
        namespace.apply_external_login("own", guest).await?;
        namespace.apply("shop", EXTERNAL).await?;
        namespace.until_not_ready("shop", Reason::MigrationFailed, "permission denied").await?;
        namespace.external_psql("grant create, usage on schema public to guest").await?;
        let stack = namespace.until_ready("shop").await?;
        let stalled = condition(&stack, ConditionType::Stalled).context("no condition")?;
        assert_eq!(stalled.status, "False", "{stalled:?}");
        Ok(())
    })
}

#[rstest]
#[case::runs_on("sleep infinity")]
#[case::fails("sleep 20; exit 1")]
fn a_sidecar_that_is_injected_does_not_hide_that_the_migration_succeeded(#[case] script: &str) -> Result<()> {
    with_namespace("sidecar", async |namespace| {
        let context = "Object.spec.containers.securityContext";
        let proxy = format!(
            "Object.spec.containers{{name: 'proxy', image: 'docker.io/library/postgres:18', \
             command: ['sh', '-c', '{script}'], securityContext: {context}{{allowPrivilegeEscalation: false, \
             capabilities: {context}.capabilities{{drop: ['ALL']}}}}}}"
        );
        let is_injected = |pod: kube::Result<Pod>| {
            let containers = pod?.spec.map(|spec| spec.containers).unwrap_or_default();
            ensure!(containers.iter().any(|container| container.name == "proxy"), "not injected");
            Ok(())
        };
        let policy = AdmissionPolicy::adding_to_migrations(namespace, "/spec/containers/-", &proxy);
        let test = async || {
            namespace.apply_and_wait("shop", MANAGED).await?;
            let jobs = namespace.api::<Job>();
            // A shell ignores the signal to stop, so its pod is killed after its grace period.
            wait::eventually("deleted with its sidecar", READY_WITHIN, async || {
                let left = jobs.list(&ListParams::default()).await?.items;
                let unfinished = left
                    .iter()
                    .filter(|job| job.status.as_ref().is_none_or(|it| it.completion_time.is_none()));
                ensure!(
                    unfinished.count() == 0,
                    "{:?}",
                    left.iter().map(kube::ResourceExt::name_any).collect::<Vec<_>>()
                );
                Ok(())
            })
            .await?;
            namespace.until_ready("shop").await.map(drop)
        };
        policy.while_in_force(namespace, is_injected, test).await
    })
}

// As with a NetworkPolicy or a wrong domain of the cluster: the name leads nowhere.
#[test]
fn a_migration_that_cannot_reach_the_managed_database_is_reported() -> Result<()> {
    with_namespace("severed", async |namespace| {
        let host = format!("shop-db.{}.svc.cluster.local", namespace.name);
        let alias = format!("[{{'ip': dyn('127.0.0.1'), 'hostnames': dyn(['{host}'])}}]");
        let is_severed = |pod: kube::Result<Pod>| {
            let aliases = pod?.spec.and_then(|spec| spec.host_aliases).unwrap_or_default();
            ensure!(!aliases.is_empty(), "not changed");
            Ok(())
        };
        let policy = AdmissionPolicy::adding_to_migrations(namespace, "/spec/hostAliases", &alias);
        let test = async || {
            namespace.apply("shop", MANAGED).await?;
            let message = namespace.until_not_ready("shop", Reason::DatabaseUnreachable, &host).await?;
            ensure!(message.contains("clusterDomain") && message.contains("networkpolicies"), "{message}");
            Ok(())
        };
        policy.while_in_force(namespace, is_severed, test).await?;
        let of_migration = ListParams::default().labels("app.kubernetes.io/component=migration");
        namespace.api::<Pod>().delete_collection(&DeleteParams::default(), &of_migration).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
