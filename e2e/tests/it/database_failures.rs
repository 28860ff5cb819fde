//! Databases that do not serve the API: rejected credentials, no free connection, a missing permission, a
//! recovery.

use anyhow::{Result, bail};
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    remedy::Step,
    stack::SOON,
    symptom::Symptom,
    wait,
};

const EXTERNAL: &str = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";

// The probe of the migration, which queries the database.
const PROBE_FAILED: Symptom = Symptom::Event("Unhealthy", "shop-migrate-");

#[test]
fn rejected_credentials_are_reported_and_work_after_a_correction() -> Result<()> {
    with_namespace("login", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        let wrong = Login { username: "shop", password: "wrong-7d1e" };
        namespace.apply_external_login("own", wrong).await?;
        namespace.ensure_diagnosed(EXTERNAL, PROBE_FAILED, Reason::AuthenticationFailed, "Secret").await?;
        namespace.apply_external_login("own", OWNER).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn a_role_that_may_not_create_tables_is_reported_with_the_message_of_the_server() -> Result<()> {
    with_namespace("rights", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.external_psql("create role guest login password 'guest-5b2a'").await?;
        let guest = Login { username: "guest", password: "guest-5b2a" };
        namespace.apply_external_login("own", guest).await?;
        let mention = "permission denied for schema public";
        namespace.ensure_diagnosed(EXTERNAL, Symptom::ContainerFailed, Reason::MigrationFailed, mention).await
    })
}

#[test]
fn a_server_without_a_free_connection_is_reported() -> Result<()> {
    with_namespace("slots", async |namespace| {
        namespace.external_database(OWNER, &["-c", "max_connections=12"]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        use_all_connections(namespace).await?;
        let mention = "Raise max_connections";
        namespace.ensure_diagnosed(EXTERNAL, PROBE_FAILED, Reason::TooManyConnections, mention).await?;
        namespace.external_database(OWNER, &["-c", "max_connections=100"]).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[rstest]
#[case::unknown_name("nowhere.invalid")]
#[case::nobody_listens("127.0.0.1")]
fn an_unreachable_server_is_reported(#[case] host: &str) -> Result<()> {
    with_namespace("unreached", async |namespace| {
        namespace.apply_external_login_at(host, "own", OWNER).await?;
        namespace.ensure_diagnosed(EXTERNAL, PROBE_FAILED, Reason::DatabaseUnreachable, "Secret").await?;
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

async fn use_all_connections(namespace: &Namespace) -> Result<()> {
    // Repeated until no connection is free: a psql that has not connected when its exec ends is killed with
    // it, and a backend that is exiting still counts as a connection.
    let hold = "while psql --host=/var/run/postgresql --username=shop --command='select 1'; do \
                psql --host=/var/run/postgresql --username=shop --command='select pg_sleep(600)' \
                > /dev/null 2>&1 < /dev/null & done";
    wait::eventually("used up", SOON, async || {
        namespace.kubectl(&["exec", "deployment/shop-database", "--", "sh", "-c", hold]).await?;
        match namespace.external_psql("select 1").await {
            Ok(_) => bail!("a connection is free"),
            Err(error) if error.to_string().contains("too many clients") => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await
}

#[test]
fn an_api_that_lost_its_database_is_reported_and_serves_when_it_is_back() -> Result<()> {
    with_namespace("probe", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply_external_login("own", OWNER).await?;
        namespace.apply_and_wait("shop", EXTERNAL).await?;
        let watch = namespace.watch_for("shop", Symptom::PodNotReady("api")).await?;
        namespace.kubectl(&["scale", "deployment/shop-database", "--replicas=0"]).await?;
        watch.diagnosed_as(Reason::ProbeFailed, "503").await?;
        // With an empty database, which is migrated.
        namespace.kubectl(&["scale", "deployment/shop-database", "--replicas=1"]).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// With a thousandth of a CPU, the API cannot start before the Deployment's deadline, which is shortened
// here.
#[test]
fn a_rollout_that_exceeds_its_deadline_is_reported() -> Result<()> {
    with_namespace("rollout", async |namespace| {
        let spec = "{api: {resources: {limits: {cpu: 1m}}}, database: {sqlite: {}}}";
        let symptom = Symptom::DeploymentCondition("ProgressDeadlineExceeded");
        let watch = namespace.apply_and_watch_for("shop", spec, symptom).await?;
        let patch = r#"{"spec": {"progressDeadlineSeconds": 8}}"#;
        wait::eventually("patched", SOON, async || {
            namespace.kubectl(&["patch", "deployment", "shop-api", "--patch", patch]).await
        })
        .await?;
        let message = watch.diagnosed_as(Reason::ProgressDeadlineExceeded, "shop-api").await?;
        namespace.follow("shop", &message, Step::Set("spec.api", Some("{resources: null}"))).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// The restore command waits, as it does for a large archive, so that the recovery takes as long as the test
// needs.
#[test]
fn a_server_in_recovery_is_reported_and_loses_no_data() -> Result<()> {
    with_namespace("replay", async |namespace| {
        let restore = "until [ -e /tmp/enough ]; do sleep 0.2; done; false";
        let postgres = format!("{{parameters: {{restore_command: '{restore}'}}}}");
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {postgres}}}}}");
        namespace.apply_and_wait("shop", &spec).await?;
        let before = vec![namespace.todos("shop").add("outlive the crash").await?];

        let watch = namespace.watch_for("shop", Symptom::PodNotReady("database")).await?;
        // Without this file, recovery does not call the restore command.
        let signal_file = "touch \"$PGDATA/recovery.signal\"";
        let walwriter = "select pid from pg_stat_activity where backend_type = 'walwriter'";
        let crash = format!(
            "{signal_file}; kill -9 \"$(psql --host=/var/run/postgresql --username=postgres \
             --tuples-only --no-align --command=\"{walwriter}\")\""
        );
        let inside = ["exec", "shop-db-0", "--container=postgres", "--", "sh", "-c"];
        namespace.kubectl(&[&inside[..], &[&crash]].concat()).await?;
        watch.diagnosed_as(Reason::DatabaseRecovering, "recovers without a change").await?;

        namespace.kubectl(&[&inside[..], &["touch /tmp/enough"]].concat()).await?;
        namespace.until_ready("shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        Ok(())
    })
}
