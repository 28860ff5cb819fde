//! What the superuser does when the server has started, and the script of the migration Job's init container,
//! on a real Postgres: which roles may log in afterwards, from where, and what they may do. That the pods run
//! the scripts is the cluster tests' subject.

#![expect(clippy::unwrap_used, reason = "a failure must fail the test")]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::PathBuf,
    process::{Command, Output},
};

use todostack_dev_postgres::{Options, Postgres};

const ACCESS: &str = concat!(include_str!("../src/resources/access.sh"), "access\n");
const SCRIPT: &str = include_str!("../src/resources/roles.sh");
/// Folder of the Secrets in the container.
const SECRETS: &str = "/etc/todostack";

/// Password of the superuser, and of the role that the Job logs in as.
const SUPERUSER: &str = "superuser's";

/// A server with the access rules of the official image: addresses other than the local ones need a password.
struct Server {
    postgres: Postgres,
    /// Folder of its data and its socket.
    folder: PathBuf,
    secrets: tempfile::TempDir,
}

impl Server {
    /// A server after its start.
    fn start() -> Self {
        let options = Options::default().without_durability().setting("log_statement", "all");
        let mut server = Self {
            postgres: Postgres::start(&options).unwrap(),
            folder: PathBuf::new(),
            secrets: tempfile::tempdir().unwrap(),
        };
        server.folder = PathBuf::from(server.admin("show data_directory"));
        server.folder.pop();
        fs::set_permissions(server.secrets.path(), fs::Permissions::from_mode(0o755)).unwrap();
        server.secret("superuser", &[("password", SUPERUSER)]);
        let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(server.admin("show hba_file"), rules).unwrap();
        server.admin("select pg_reload_conf()");
        server.access();
        server
    }

    fn secret(&self, folder: &str, values: &[(&str, &str)]) {
        let folder = self.secrets.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for (key, value) in values {
            fs::write(folder.join(key), value).unwrap();
        }
    }

    /// Runs what the start script runs when the server accepts connections.
    fn access(&self) {
        let mut command = self.script(ACCESS);
        command.env("START_SOCKETS", &self.folder);
        let owner = fs::metadata(self.folder.join("data")).unwrap();
        command.uid(owner.uid()).gid(owner.gid()).current_dir(&self.folder).env("POSTGRES_DB", "todo");
        let output = command.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }

    /// Runs the Job's script while pods have the credentials of the username `released`.
    fn run(&self, username: &str, password: &str, released: Option<&str>) -> Output {
        let _ = fs::remove_dir_all(self.secrets.path().join("app"));
        self.secret("app", &[("username", username), ("password", password), ("dbname", "todo")]);
        if let Some(released) = released {
            self.secret("app", &[("replaces", released)]);
        }
        self.script(SCRIPT).env("PGPASSWORD", SUPERUSER).output().unwrap()
    }

    /// A script with the server's address and the Secrets.
    fn script(&self, script: &str) -> Command {
        let script = script.replace(SECRETS, self.secrets.path().to_str().unwrap());
        // A container has no terminal either.
        let mut command = Command::new("setsid");
        command.args(["--wait", "/bin/sh", "-c", &script]);
        command.env("ROLES_REPORT", self.secrets.path().join("report"));
        self.connected(&mut command);
        command
    }

    fn succeeds(&self, username: &str, password: &str, released: Option<&str>) {
        let output = self.run(username, password, released);
        assert!(output.status.success(), "{output:?}");
        assert!(!format!("{output:?}").contains(password), "{output:?}");
    }

    #[expect(clippy::disallowed_methods, reason = "the scripts find the shell's programs in PATH")]
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

    /// As the superuser on the server's own host.
    fn admin(&self, query: &str) -> String {
        self.psql(("postgres", SUPERUSER), "postgres", query).unwrap()
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
fn what_the_role_of_an_earlier_version_owns_moves_to_the_owner_at_the_next_start() {
    let server = Server::start();
    server.admin("drop database todo");
    server.admin("create role todo login password 'old'");
    server.admin("create database todo owner todo");
    server.app(("todo", "old"), "create schema s create table s.lists (id int)").unwrap();
    server.app(("todo", "old"), "create table todos (id serial)").unwrap();
    server.access();
    server.succeeds(B.0, B.1, None);
    server.app(B, "alter table s.lists add column x int; alter table todos add column x int").unwrap();
    server.is_closed(("todo", "old"));
}

#[test]
fn the_application_may_use_what_init_scripts_created() {
    let server = Server::start();
    server.app(("postgres", SUPERUSER), "create table seed as select 1 as id").unwrap();
    server.access();
    server.succeeds(A.0, A.1, None);
    assert_eq!(server.app(A, "select id from seed").unwrap(), "1");
    let superuser = "select rolsuper from pg_roles where rolname = 'postgres'";
    assert_eq!(server.admin(superuser), "t");
}

#[test]
fn the_system_identifier_of_the_database_is_reported() {
    let server = Server::start();
    server.succeeds(A.0, A.1, None);
    let report = fs::read_to_string(server.secrets.path().join("report")).unwrap();
    let identifier = server.admin("select system_identifier from pg_control_system()");
    assert_eq!(report, format!(r#"{{"systemIdentifier":"{identifier}"}}"#));
}

// As `spec.database.postgres.parameters` may say.
#[test]
fn a_server_whose_sessions_are_read_only_by_default_gets_its_roles() {
    let server = Server::start();
    server.admin("alter system set default_transaction_read_only = on");
    server.admin("select pg_reload_conf()");
    server.access();
    server.succeeds(A.0, A.1, None);
    assert_eq!(server.app(A, "select current_user").unwrap(), "todostack_owner");
}

#[test]
fn a_username_with_rights_on_the_server_is_refused_and_keeps_them() {
    let server = Server::start();
    server.admin("create role boss superuser login password 'old'");
    server.admin("create role clerk createrole login password 'old'");
    server.admin("create role guest login password 'old'");
    server.admin("grant pg_read_all_data to guest");
    let roles = "select string_agg(pg_roles::text, ' ' order by oid) from pg_roles";
    let before = server.admin(roles);
    for username in ["postgres", "boss", "clerk", "guest", "todostack_jobs", "todostack_verifier"] {
        let output = server.run(username, "new", None);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        let reason = format!("role {username} has rights on the server: choose another username");
        assert!(error.contains(&reason), "{error}");
    }
    assert_eq!(server.admin(roles), before);
}

#[test]
fn the_login_of_the_job_may_do_nothing_else() {
    let server = Server::start();
    for query in [
        "alter role postgres password 'x'",
        "create role other",
        "select rolpassword from pg_authid",
        "copy (select 1) to program 'true'",
        "set role todostack_owner",
        "create or replace function todostack.admit(username name, released name) returns void language sql as ''",
    ] {
        let error = server.psql(("todostack_jobs", SUPERUSER), "postgres", query).unwrap_err();
        let is_denied = error.contains("permission denied") || error.contains("must be");
        assert!(is_denied, "{query}: {error}");
    }
}

// That other hosts are rejected is tested on the cluster.
#[test]
fn the_superuser_needs_its_password_on_its_own_host_and_is_rejected_from_others() {
    let server = Server::start();
    let error = server.psql(("postgres", ""), "postgres", "select 1").unwrap_err();
    assert!(error.contains("password"), "{error}");
    server.access();
    let rules = "select string_agg(address || ' ' || auth_method, ', ' order by line_number) \
                 from pg_hba_file_rules where user_name = '{postgres}'";
    assert_eq!(server.admin(rules), "samehost scram-sha-256, all reject");
}

#[test]
fn the_server_gets_a_verifier_and_logs_no_password() {
    let server = Server::start();
    server.succeeds(A.0, "hush-2d9c", None);
    let verifier = server.admin("select rolpassword from pg_authid where rolname = 'todo_a'");
    assert!(verifier.starts_with("SCRAM-SHA-256$4096:"), "{verifier}");
    let log = fs::read_to_string(server.folder.join("log")).unwrap();
    for hidden in ["hush-2d9c", SUPERUSER, "SCRAM-SHA-256$"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
}
