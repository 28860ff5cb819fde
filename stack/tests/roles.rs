//! The script of the migration Job's init container, on a real Postgres: which roles may log in afterwards,
//! and what they may do. That the Job runs it is the cluster tests' subject.

#![expect(clippy::unwrap_used, reason = "a failure must fail the test")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use todostack_dev_postgres::{Options, Postgres};

const SCRIPT: &str = include_str!("../src/resources/roles.sh");
/// Folder of the Secrets in the container.
const SECRETS: &str = "/etc/todostack";

/// A server with the access rules of the official image: addresses other than the superuser's need a
/// password.
struct Server {
    postgres: Postgres,
    secrets: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let options = Options::default().without_durability().setting("log_statement", "all");
        let server =
            Self { postgres: Postgres::start(&options).unwrap(), secrets: tempfile::tempdir().unwrap() };
        fs::set_permissions(server.secrets.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(server.admin("show hba_file"), rules).unwrap();
        server.admin("select pg_reload_conf()");
        server
    }

    fn secret(&self, folder: &str, values: &[(&str, &str)]) {
        let folder = self.secrets.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for (key, value) in values {
            fs::write(folder.join(key), value).unwrap();
        }
    }

    /// Runs the script while pods have the credentials of the username `released`.
    fn run(&self, username: &str, password: &str, released: Option<&str>) -> Output {
        let _ = fs::remove_dir_all(self.secrets.path().join("app"));
        self.secret("app", &[("username", username), ("password", password), ("dbname", "todo")]);
        if let Some(released) = released {
            self.secret("app", &[("replaces", released)]);
        }
        let script = SCRIPT.replace(SECRETS, self.secrets.path().to_str().unwrap());
        // A container has no terminal either.
        let mut command = Command::new("setsid");
        command.args(["--wait", "/bin/sh", "-c", &script]).env("PGUSER", "postgres");
        self.connected(&mut command).env("PGDATABASE", "postgres").output().unwrap()
    }

    fn succeeds(&self, username: &str, password: &str, released: Option<&str>) {
        let output = self.run(username, password, released);
        assert!(output.status.success(), "{output:?}");
        assert!(!format!("{output:?}").contains(password), "{output:?}");
    }

    #[expect(clippy::disallowed_methods, reason = "the script finds the shell's programs in PATH")]
    fn connected<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let path = format!("{}:{}", self.postgres.programs().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("PGHOST", "127.0.0.1").env("PGPORT", self.postgres.port().to_string())
    }

    fn psql(&self, login: (&str, &str), database: &str, query: &str) -> Result<String, String> {
        let mut command = Command::new(self.postgres.programs().join("psql"));
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--command", query]);
        command.env("PGUSER", login.0).env("PGPASSWORD", login.1).env("PGDATABASE", database);
        let output = self.connected(&mut command).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }

    fn admin(&self, query: &str) -> String {
        self.psql(("postgres", ""), "postgres", query).unwrap()
    }

    fn app(&self, login: (&str, &str), query: &str) -> Result<String, String> {
        self.psql(login, "todo", query)
    }

    fn is_closed(&self, login: (&str, &str)) {
        let error = self.app(login, "select 1").unwrap_err();
        assert!(error.contains("password authentication failed"), "{error}");
    }
}

const A: (&str, &str) = ("todo_a", "password of a");
const B: (&str, &str) = ("todo_b", "it's \"b\"\\n:'x' $1 `id` äß€");

#[test]
fn the_first_run_creates_a_login_that_acts_as_the_owner_and_the_second_changes_nothing() {
    let server = Server::start();
    for _ in 0..2 {
        server.succeeds(A.0, A.1, None);
        assert_eq!(
            server.app(A, "select session_user || ' as ' || current_user").unwrap(),
            "todo_a as todostack_owner"
        );
        server.app(A, "create table if not exists todos (id int)").unwrap();
    }
    let owner = "select tableowner from pg_tables where tablename = 'todos'";
    assert_eq!(server.app(A, owner).unwrap(), "todostack_owner");
    let can_log_in = "select rolcanlogin from pg_roles where rolname = 'todostack_owner'";
    assert_eq!(server.admin(can_log_in), "f");
}

#[test]
fn another_username_alters_what_the_first_created_and_the_first_is_closed() {
    let server = Server::start();
    server.succeeds(A.0, A.1, None);
    server.app(A, "create table todos (id int)").unwrap();
    server.succeeds(B.0, B.1, None);
    server.app(B, "alter table todos add column title text").unwrap();
    server.is_closed(A);
    server.succeeds(A.0, "new", None);
    server.app((A.0, "new"), "alter table todos drop column title").unwrap();
    server.is_closed(B);
    server.is_closed(A);
}

#[test]
fn the_username_of_running_pods_is_closed_only_by_the_run_after_the_rollout() {
    let server = Server::start();
    server.succeeds(A.0, A.1, None);
    server.succeeds(B.0, B.1, Some(A.0));
    for login in [A, B] {
        assert_eq!(server.app(login, "select session_user").unwrap(), login.0);
    }
    server.succeeds(B.0, B.1, Some(B.0));
    server.is_closed(A);
}

#[test]
fn what_the_role_of_an_earlier_version_owns_moves_to_the_owner() {
    let server = Server::start();
    server.admin("create role todo login password 'old'");
    server.admin("create database todo owner todo");
    server.app(("todo", "old"), "create schema s create table s.lists (id int)").unwrap();
    server.app(("todo", "old"), "create table todos (id serial)").unwrap();
    server.succeeds(B.0, B.1, None);
    server.app(B, "alter table s.lists add column x int; alter table todos add column x int").unwrap();
    server.is_closed(("todo", "old"));
}

#[test]
fn the_application_may_use_what_init_scripts_created() {
    let server = Server::start();
    server.admin("create database todo");
    server.app(("postgres", ""), "create table seed as select 1 as id").unwrap();
    server.succeeds(A.0, A.1, None);
    assert_eq!(server.app(A, "select id from seed").unwrap(), "1");
    let superuser = "select rolsuper from pg_roles where rolname = 'postgres'";
    assert_eq!(server.admin(superuser), "t");
}

// As `spec.database.postgres.parameters` may say.
#[test]
fn a_server_whose_sessions_are_read_only_by_default_gets_its_roles() {
    let server = Server::start();
    server.admin("alter system set default_transaction_read_only = on");
    server.admin("select pg_reload_conf()");
    server.succeeds(A.0, A.1, None);
    assert_eq!(server.app(A, "select current_user").unwrap(), "todostack_owner");
}

#[test]
fn a_superuser_is_refused_and_keeps_its_rights() {
    let server = Server::start();
    server.admin("create role boss superuser login password 'old'");
    for username in ["boss", "postgres"] {
        let output = server.run(username, "new", None);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(
            error.contains(&format!("role {username} is a superuser: choose another username")),
            "{error}"
        );
        let superuser = format!("select rolsuper from pg_roles where rolname = '{username}'");
        assert_eq!(server.admin(&superuser), "t");
    }
}

#[test]
fn the_server_gets_a_verifier_and_logs_no_password() {
    let server = Server::start();
    server.succeeds(A.0, "hush-2d9c", None);
    let verifier = server.admin("select rolpassword from pg_authid where rolname = 'todo_a'");
    assert!(verifier.starts_with("SCRAM-SHA-256$4096:"), "{verifier}");
    let data = server.admin("show data_directory");
    let log = fs::read_to_string(Path::new(&data).parent().unwrap().join("log")).unwrap();
    assert!(!log.contains("hush-2d9c"), "{log}");
}
