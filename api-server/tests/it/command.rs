//! The binary: migrate, help, and ending on SIGTERM.

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use todostack_store_postgres::PgConnectOptions;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use crate::{client::Client, service::fresh_postgres};

fn command(database: &PgConnectOptions) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    command.env_clear().env("DATABASE_URL", database.to_url_lossy().as_str());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[tokio::test]
async fn migrate_brings_the_schema_up_once_and_reports_its_version() {
    let database = fresh_postgres().await;
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let check = run(command(&database).args(["migrate", "--check"]));
    assert!(!check.status.success());
    assert!(String::from_utf8_lossy(&check.stderr).contains("schema version 0, want 1"), "{check:?}");
    for _ in 0..2 {
        let migrate = run(command(&database).arg("migrate").env("TODOSTACK_REPORT_FILE", &report));
        assert!(migrate.status.success(), "{migrate:?}");
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "{\"schemaVersion\":1}\n");
    }
    assert!(run(command(&database).args(["migrate", "--check"])).status.success());
}

#[tokio::test]
async fn a_login_that_is_refused_ends_migrate_at_once_without_the_password() {
    let database = fresh_postgres().await.database("there_is_no_such_database").password("s3cret");
    let migrate = run(command(&database).arg("migrate"));
    let stderr = String::from_utf8(migrate.stderr).unwrap();
    assert!(!migrate.status.success());
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("the database refused access"), "{stderr}");
    assert!(stderr.contains("there_is_no_such_database"), "{stderr}");
    assert!(!format!("{stderr}{}", String::from_utf8_lossy(&migrate.stdout)).contains("s3cret"));
}

#[test]
fn help_documents_every_variable() {
    let help = Command::new(env!("CARGO_BIN_EXE_todostack-api")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for variable in [
        "DATABASE_URL",
        "PGHOST",
        "TODOSTACK_LISTEN",
        "TODOSTACK_OPERATIONS_LISTEN",
        "TODOSTACK_LOG_LEVEL",
        "TODOSTACK_PUBLIC_URL",
        "TODOSTACK_CORS_ALLOWED_ORIGINS",
        "TODOSTACK_DRAIN_DELAY",
        "TODOSTACK_DATABASE_MAX_CONNECTIONS",
        "TODOSTACK_MAX_CONCURRENT_REQUESTS",
        "TODOSTACK_RATE_LIMIT_RPS",
        "TODOSTACK_RATE_LIMIT_BURST",
        "TODOSTACK_TRUSTED_PROXY_HOPS",
        "TODOSTACK_JWT_ISSUER",
        "TODOSTACK_JWT_AUDIENCE",
        "TODOSTACK_JWKS_URL",
        "TODOSTACK_JWKS_FILE",
        "TODOSTACK_JWKS_CA_FILE",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_SERVICE_NAME",
    ] {
        assert!(help.contains(variable), "{variable} is not in\n{help}");
    }
}

#[tokio::test]
async fn sigterm_loses_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = tokio::process::Command::new(env!("CARGO_BIN_EXE_todostack-api"))
        .args(["--listen=127.0.0.1:0", "--operations-listen=127.0.0.1:0", "--drain-delay=1"])
        .env_clear()
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stdout.take().unwrap()).lines();
    let started: Value = serde_json::from_str(&log.next_line().await.unwrap().unwrap()).unwrap();
    let client = Client::new(format!("http://{}", started["listen"].as_str().unwrap()));
    let operations =
        Client::new(format!("http://{}", started["operations_listen"].as_str().unwrap())).undocumented();

    let clients = (0..4).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut answered = 0_u32;
            // Until the listener is closed; a request that was accepted is answered.
            while let Ok(reply) = client
                .try_send(
                    client.request(http::Method::POST, "/todos").header("content-type", "application/json"),
                    json!({"title": "tea"}).to_string(),
                )
                .await
            {
                assert_eq!(reply.status, StatusCode::CREATED);
                answered += 1;
            }
            answered
        })
    });
    let clients: Vec<_> = clients.collect();
    let healthcheck = |operations: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
        command.arg("healthcheck").env_clear().env("TODOSTACK_OPERATIONS_LISTEN", operations);
        command.output().unwrap().status.success()
    };
    assert!(healthcheck(started["operations_listen"].as_str().unwrap()));
    assert!(!healthcheck("127.0.0.1:9"));
    let pid = server.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let draining: Value = serde_json::from_str(&log.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(draining["message"], "Draining");
    assert_eq!(operations.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
    let status = timeout(Duration::from_secs(20), server.wait()).await.expect("it ends").unwrap();
    assert!(status.success());
}
