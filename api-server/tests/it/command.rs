//! The binary as a process: its commands, its log, and graceful shutdown. HTTP itself is in the other files.

use std::{
    net::TcpListener,
    process::{Command, Output},
    time::Duration,
};

use futures::future::join_all;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use todostack_store_postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::{
    server_process::{Server, with_message},
    service::{On, fresh_postgres},
};

fn command(database: &PgConnectOptions) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    command.env_clear().env("DATABASE_URL", database.to_url_lossy().as_str());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[tokio::test]
async fn migrate_migrates_once_and_reports_the_schema_version() {
    let database = fresh_postgres().await;
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let check = run(command(&database).args(["migrate", "--check"]));
    assert!(!check.status.success());
    assert!(String::from_utf8_lossy(&check.stderr).contains("schema version 0, want 3"), "{check:?}");
    for _ in 0..2 {
        let migrate = run(command(&database).arg("migrate").env("TODOSTACK_REPORT_FILE", &report));
        assert!(migrate.status.success(), "{migrate:?}");
        assert_eq!(std::fs::read_to_string(&report).unwrap(), "{\"schemaVersion\":3}\n");
    }
    assert!(run(command(&database).args(["migrate", "--check"])).status.success());
}

#[tokio::test]
async fn a_check_that_is_denied_access_fails_at_once_and_prints_no_password() {
    let database = fresh_postgres().await.database("there_is_no_such_database").password("s3cret");
    let check = run(command(&database).args(["migrate", "--check"]));
    let stderr = String::from_utf8(check.stderr).unwrap();
    assert!(!check.status.success());
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("the database denied access"), "{stderr}");
    assert!(stderr.contains("there_is_no_such_database"), "{stderr}");
    assert!(!format!("{stderr}{}", String::from_utf8_lossy(&check.stdout)).contains("s3cret"));
}

#[tokio::test]
async fn a_check_does_not_wait_for_a_database_that_is_unavailable() {
    let nowhere = fresh_postgres().await.port(1);
    let check = run(command(&nowhere).args(["migrate", "--check"]));
    let stderr = String::from_utf8(check.stderr).unwrap();
    assert!(!check.status.success());
    assert!(stderr.contains("the database is not available: "), "{stderr}");
}

// The operator runs it beside the pod that serves.
#[tokio::test]
async fn a_version_is_tried_on_a_copy_while_another_one_serves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("todos.db"), folder.path().join("copy.db"));
    let url = format!("sqlite://{}", file.display());
    let server = Server::start_with(&[("DATABASE_URL", &url)]).await;
    server.client.create_todo("/todos", json!({"title": "tea"})).await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let attempt = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
        command.env_clear().env("DATABASE_URL", &url).args(["--listen=127.0.0.1:0", "--operations-listen"]);
        command.arg(&free).args(["try", "--copy"]).arg(&copy);
        command
    };
    let tried = run(&mut attempt());
    assert!(tried.status.success(), "{tried:?}");
    let titles = |file: &std::path::Path| {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        async move {
            let mut connection = options.connect().await.unwrap();
            sqlx::query_scalar::<_, String>("SELECT title FROM todos")
                .fetch_all(&mut connection)
                .await
                .unwrap()
        }
    };
    assert_eq!((titles(&copy).await, titles(&file).await), (vec!["tea".to_owned()], vec!["tea".to_owned()]));
    // A file that it cannot serve.
    std::fs::remove_file(&copy).unwrap();
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut connection).await.unwrap();
    let failed = run(&mut attempt());
    let stderr = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && stderr.lines().count() == 1, "{failed:?}");
    assert!(stderr.contains("failed to migrate the SQLite file"), "{stderr}");
    assert_eq!(server.client.titles("/todos").await, ["tea"]);
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_is_reported_with_the_command_to_run() {
    let database = fresh_postgres().await.to_url_lossy();
    let mut server = Server::start_with(&[("DATABASE_URL", database.as_str())]).await;
    let reported = async {
        loop {
            let line = server.log.next_line().await.unwrap().unwrap();
            if line.contains("run `todostack-api migrate`") {
                break line;
            }
        }
    };
    let line = timeout(Duration::from_secs(20), reported).await.expect("it is reported");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["level"], &line["found"], &line["wanted"]), (&json!("WARN"), &json!(0), &json!(3)));
}

/// On Postgres, with enough connections for two threads.
async fn server_on_postgres(database: &PgConnectOptions) -> Server {
    assert!(run(command(database).arg("migrate")).status.success());
    let url = database.to_url_lossy();
    Server::start_with(&[("DATABASE_URL", url.as_str()), ("TODOSTACK_DATABASE_MAX_CONNECTIONS", "10")]).await
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test]
async fn no_request_is_lost_on_sigterm(#[case] on: On) {
    let mut server = match on {
        On::Postgres => server_on_postgres(&fresh_postgres().await).await,
        On::Sqlite => Server::start("info").await,
    };
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let client = server.client.clone();
            tokio::spawn(async move {
                let mut responses = 0;
                // Until the listener is closed; a request that was accepted gets its response.
                let request = || client.json(http::Method::POST, "/todos");
                while let Ok(reply) = client.try_send(request(), r#"{"title":"tea"}"#).await {
                    assert_eq!(reply.status, StatusCode::CREATED);
                    responses += 1;
                }
                responses
            })
        })
        .collect();
    let healthcheck = |operations: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
        command.arg("healthcheck").env_clear().env("TODOSTACK_OPERATIONS_LISTEN", operations);
        command.output().unwrap().status.success()
    };
    assert!(healthcheck(server.started["operations_listen"].as_str().unwrap()));
    assert!(!healthcheck("127.0.0.1:9"));
    server.terminate();
    let mut logged = 0;
    loop {
        let line: Value = serde_json::from_str(&server.log.next_line().await.unwrap().unwrap()).unwrap();
        logged += usize::from(line["message"] == "Request answered");
        if line["message"] == "Draining" {
            break;
        }
    }
    assert_eq!(server.probes.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let rest = server.wait_for_exit().await;
    let responses = join_all(clients).await.into_iter().map(Result::unwrap);
    let responses = responses.inspect(|of_a_client| assert!(*of_a_client > 0)).sum::<usize>();
    logged += with_message(&rest, "Request answered").len();
    assert_eq!(logged, responses, "every response has its line, those of the last moment too");
}

#[tokio::test]
async fn a_request_is_one_log_line_without_what_the_client_sent() {
    let server = Server::start("info").await;
    let (trace_id, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let client = &server.client;
    client.post("/todos?q=s3cret", json!({"title": "s3cret"})).await;
    let request =
        client.request(http::Method::GET, "/todos/99?q=s3cret").header("x-request-id", "id-from-proxy");
    let request = request.header("authorization", "Bearer s3cret");
    let reply = client.send(request.header("traceparent", format!("00-{trace_id}-{parent}-01")), "").await;
    assert_eq!(reply.header("x-request-id"), "id-from-proxy");
    client.get("/s3cret").await;
    for probe in ["/livez", "/readyz", "/metrics"] {
        server.probes.get(probe).await;
    }
    server.terminate();
    let lines = server.wait_for_exit().await;
    let requests = with_message(&lines, "Request answered");
    let seen = |line: &Value| {
        assert_eq!(line["level"], "INFO");
        assert!(line["duration_us"].as_u64().unwrap() > 0, "{line}");
        json!([line["http.method"], line["http.route"], line["http.status"]])
    };
    assert_eq!(
        requests.iter().map(|line| seen(line)).collect::<Vec<_>>(),
        [json!(["POST", "/todos", 201]), json!(["GET", "/todos/{id}", 404]), json!(["GET", null, 404])]
    );
    assert_eq!(
        (&requests[1]["trace_id"], &requests[1]["request_id"]),
        (&json!(trace_id), &json!("id-from-proxy"))
    );
    assert_eq!(requests[0]["trace_id"], requests[0]["request_id"], "the client sent no request ID");
    assert!(with_message(&lines, "Probe answered").is_empty(), "{lines:#?}");
    assert!(!format!("{lines:?}").contains("s3cret"), "{lines:#?}");
}

#[tokio::test]
async fn probes_are_logged_at_debug() {
    let server = Server::start("debug").await;
    for probe in ["/livez", "/readyz", "/metrics"] {
        server.probes.get(probe).await;
    }
    server.terminate();
    let lines = server.wait_for_exit().await;
    let probes = with_message(&lines, "Probe answered");
    let routes: Vec<_> = probes.iter().map(|line| line["http.route"].as_str().unwrap()).collect();
    assert_eq!(routes, ["/livez", "/readyz", "/metrics"]);
}

#[tokio::test]
async fn all_threads_together_stay_within_the_connection_limit() {
    let database = fresh_postgres().await;
    let server = server_on_postgres(&database).await;
    let client = &server.client;
    let clients = (0..32).map(async |number| {
        for _ in 0..10 {
            let created = client.create_todo("/todos", json!({"title": number.to_string()})).await;
            let read = client.get(created["url"].as_str().unwrap()).await.json();
            assert_eq!(read, created, "each thread sees what the others created");
            assert_eq!(client.get("/todos?limit=50").await.status, StatusCode::OK);
        }
    });
    join_all(clients).await;
    let count = "select count(*) from pg_stat_activity
                 where datname = current_database() and application_name = 'todostack-api'";
    let mut beside = PgConnection::connect_with(&database).await.unwrap();
    let connections: i64 = sqlx::query_scalar(count).fetch_one(&mut beside).await.unwrap();
    assert!(connections <= 10, "{connections}");
    // Each thread has three of the ten connections outside of its pool.
    let (more_than, pooled) =
        if std::thread::available_parallelism().unwrap().get() > 1 { (5, 4) } else { (0, 7) };
    assert!(connections > more_than, "{connections}");
    let metrics = String::from_utf8(server.probes.get("/metrics").await.body.to_vec()).unwrap();
    assert!(metrics.contains(&format!("\ntodostack_api_database_connections_max {pooled}\n")), "{metrics}");
}
