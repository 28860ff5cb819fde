//! The binary as a user starts it first: what it needs, and what it says when it cannot start. Graceful
//! shutdown and the other commands are in `command`.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use http::StatusCode;
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use crate::server_process::{Server, with_message};

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    command.env_clear().current_dir(folder).args(["--listen=127.0.0.1:0", "--operations-listen=127.0.0.1:0"]);
    command
}

/// What the command prints last, which must be the only line of its standard error.
fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().to_owned()
}

#[tokio::test]
async fn it_serves_without_any_setting_and_says_where_the_todos_are() {
    let server = Server::start_with(&[]).await;
    server.client.create_todo("/todos", json!({"title": "tea"})).await;
    assert_eq!(server.client.titles("/todos").await, ["tea"]);
    let database = server.started["database"].as_str().unwrap();
    assert!(fs::exists(database.strip_prefix("sqlite://").unwrap()).unwrap(), "{database}");
    assert_eq!(server.probes.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_file_can_be_named_without_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my todos?.db");
    let server = Server::start_with(&[("TODOSTACK_SQLITE_FILE", file.to_str().unwrap())]).await;
    server.client.create_todo("/todos", json!({"title": "tea"})).await;
    assert!(fs::exists(&file).unwrap());
}

#[tokio::test]
async fn ctrl_c_stops_it_without_the_delay_for_load_balancers() {
    let server = Server::start_with(&[]).await;
    server.interrupt();
    let lines = server.wait_for_exit().await;
    let draining = with_message(&lines, "Draining");
    assert_eq!((&draining[0]["signal"], &draining[0]["seconds"]), (&json!("SIGINT"), &json!(0)), "{lines:?}");
}

#[rstest]
#[case::api("--listen")]
#[case::probes("--operations-listen")]
fn a_port_that_is_in_use_is_named_with_the_flag_for_another(#[case] flag: &str) {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    let free = if flag == "--listen" { "--operations-listen" } else { "--listen" };
    command.env_clear().current_dir(folder.path()).args([flag, &address, free, "127.0.0.1:0"]);
    let message = failure(&mut command);
    assert!(message.contains(&format!("failed to listen on {address}: Address already in use")), "{message}");
    assert!(message.ends_with(&format!("choose another one with {flag}")), "{message}");
    assert!(!folder.path().join("todos.db").exists(), "nothing was created");
}

/// A folder that this user, or for root another one, cannot write.
fn read_only_folder() -> (TempDir, impl Fn(&mut Command)) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(folder.path().join("written by root"), "").is_ok();
    (folder, move |command: &mut Command| {
        if is_root {
            command.uid(65_532).gid(65_532);
        }
    })
}

#[rstest]
#[case::serve("serve")]
#[case::migrate("migrate")]
fn a_folder_that_cannot_be_written_is_named_with_what_to_run(#[case] subcommand: &str) {
    let (folder, as_user) = read_only_folder();
    let path = folder.path().display().to_string();
    let mut command = command(Path::new("/"));
    command.arg(subcommand).env("TODOSTACK_SQLITE_FILE", folder.path().join("todos.db"));
    as_user(&mut command);
    let message = failure(&mut command);
    assert!(message.contains(&format!("permission denied to write {path}, ")), "{message}");
    assert!(
        message.contains("run `chown -R 65532:65532 ") || message.contains("run `chmod u+rwX "),
        "{message}"
    );
}

#[rstest]
#[case::scheme("mysql://shop:s3cret@db/todos", "must start with postgres:// or sqlite://")]
#[case::port("postgres://shop:s3cret@db:port/todos", "is not a valid URL")]
#[case::folder("sqlite:///there/is/none/todos.db", "run `mkdir -p /there/is/none`")]
fn an_invalid_database_is_an_error_that_says_what_is_valid(#[case] url: &str, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let message = failure(command(folder.path()).env("DATABASE_URL", url));
    assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
}

#[test]
fn a_password_is_read_from_a_file_and_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("password"), "s3cret\n").unwrap();
    let check = |file: &str| {
        let mut command = command(folder.path());
        failure(command.args(["migrate", "--check"]).envs([
            ("PGHOST", "127.0.0.1"),
            ("PGPORT", "1"),
            ("PGPASSWORD_FILE", file),
        ]))
    };
    assert!(check("none").contains("failed to read the password in none (PGPASSWORD_FILE)"));
    let message = check("password");
    assert!(message.contains("the database is not available") && !message.contains("s3cret"), "{message}");
}
