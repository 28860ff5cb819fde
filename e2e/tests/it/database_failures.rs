//! Databases that do not serve the API: a login refused, no connection left, a right missing, a log being replayed.

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    stack::SOON,
    symptom::Symptom,
    wait,
};

const EXTERNAL: &str = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";

/// The migration's probe, which asks the database itself.
const NO_ANSWER: Symptom = Symptom::Event("Unhealthy", "shop-migrate-");

#[tokio::test]
async fn a_login_that_a_database_refuses_is_named_and_works_once_it_is_corrected() -> Result<()> {
    with_namespace("login", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.external_login("own", Login { username: "shop", password: b"wrong-7d1e" }).await?;
        let cause = (Reason::AuthenticationFailed, "Secret");
        namespace.apply_and_see(("shop", EXTERNAL), Symptom::Ended, cause).await?;
        namespace.external_login("own", OWNER).await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_role_that_may_not_make_tables_is_named_in_the_servers_words() -> Result<()> {
    with_namespace("rights", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.external_psql("create role guest login password 'guest-5b2a'").await?;
        namespace.external_login("own", Login { username: "guest", password: b"guest-5b2a" }).await?;
        let cause = (Reason::MigrationFailed, "permission denied for schema public");
        namespace.apply_and_see(("shop", EXTERNAL), Symptom::Ended, cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_server_without_a_connection_left_is_named() -> Result<()> {
    with_namespace("slots", async |namespace| {
        namespace.external_database(OWNER, &["-c", "max_connections=12"]).await?;
        namespace.external_login("own", OWNER).await?;
        take_all_connections(namespace).await?;
        let cause = (Reason::TooManyConnections, "max_connections");
        namespace.apply_and_see(("shop", EXTERNAL), NO_ANSWER, cause).await.map(drop)
    })
    .await
}

#[rstest]
#[case::unknown_name("nowhere.invalid")]
#[case::nobody_listens("127.0.0.1")]
#[tokio::test]
async fn a_server_that_does_not_answer_is_named(#[case] host: &str) -> Result<()> {
    with_namespace("unreached", async |namespace| {
        let place = [("host", host), ("port", "5432"), ("dbname", "shop")];
        namespace.bring("own", OWNER, &place).await?;
        let cause = (Reason::DatabaseUnreachable, "Secret");
        namespace.apply_and_see(("shop", EXTERNAL), NO_ANSWER, cause).await.map(drop)
    })
    .await
}

async fn take_all_connections(namespace: &Namespace) -> Result<()> {
    // Again until there is none left: what an exec leaves running before it has connected ends with the exec, and a
    // backend that is about to end counts as one until it has.
    let hold = "while psql --host=/var/run/postgresql --username=shop --command='select 1'; do \
                psql --host=/var/run/postgresql --username=shop --command='select pg_sleep(600)' \
                > /dev/null 2>&1 < /dev/null & done";
    wait::eventually("used up", SOON, async || {
        namespace.kubectl(&["exec", "deployment/shop-database", "--", "sh", "-c", hold]).await?;
        match namespace.external_psql("select 1").await {
            Ok(_) => anyhow::bail!("there is a connection left"),
            Err(error) if error.to_string().contains("too many clients") => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await
}

#[tokio::test]
async fn an_api_whose_database_went_away_is_named() -> Result<()> {
    with_namespace("probe", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.external_login("own", OWNER).await?;
        namespace.apply("shop", EXTERNAL).await?;
        namespace.ready("shop").await?;
        let watching = namespace.watch("shop", Symptom::Unready("api")).await?;
        namespace.kubectl(&["scale", "deployment/shop-database", "--replicas=0"]).await?;
        namespace.explained(watching, (Reason::ProbeFailed, "503")).await.map(drop)
    })
    .await
}

/// A processor's thousandth is not enough to begin to serve within Kubernetes' own deadline (here: of seconds).
#[tokio::test]
async fn a_rollout_that_does_not_come_to_its_end_is_named() -> Result<()> {
    with_namespace("rollout", async |namespace| {
        let spec = "{api: {resources: {limits: {cpu: 1m}}}, database: {sqlite: {}}}";
        let watching = namespace.watch("shop", Symptom::Condition("ProgressDeadlineExceeded")).await?;
        namespace.apply("shop", spec).await?;
        let patch = r#"{"spec": {"progressDeadlineSeconds": 8}}"#;
        wait::eventually("given a deadline", SOON, async || {
            namespace.kubectl(&["patch", "deployment", "shop-api", "--patch", patch]).await
        })
        .await?;
        namespace.explained(watching, (Reason::ProgressDeadlineExceeded, "shop-api")).await.map(drop)
    })
    .await
}

/// The server is killed, and replays its log from an archive that takes its time, as a large one does.
#[tokio::test]
async fn a_server_that_replays_its_log_is_named_and_loses_nothing() -> Result<()> {
    with_namespace("replay", async |namespace| {
        let archive = "until [ -e /tmp/enough ]; do sleep 0.2; done; false";
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {{parameters: {{restore_command: '{archive}'}}}}}}}}");
        namespace.apply("shop", &spec).await?;
        namespace.ready("shop").await?;
        let before = vec![namespace.todos("shop").add("outlive the crash").await?];

        let watching = namespace.watch("shop", Symptom::Unready("database")).await?;
        let crash = "touch \"$PGDATA/recovery.signal\"; kill -9 \"$(psql --host=/var/run/postgresql --username=postgres \
                     --tuples-only --no-align --command=\"select pid from pg_stat_activity where backend_type = 'walwriter'\")\"";
        let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c"];
        namespace.kubectl(&[&inside[..], &[crash]].concat()).await?;
        namespace.explained(watching, (Reason::DatabaseRecovering, "recovers without a change")).await?;

        namespace.kubectl(&[&inside[..], &["touch /tmp/enough"]].concat()).await?;
        namespace.ready("shop").await?;
        assert_eq!(namespace.todos("shop").answered().await?, before);
        Ok(())
    })
    .await
}
