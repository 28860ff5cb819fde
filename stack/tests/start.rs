//! The script that starts the server, on a real Postgres with an entrypoint like that of the official image:
//! the lock, the initialization, the superuser's password. That the pod runs it is the cluster tests'
//! subject.

#![expect(clippy::unwrap_used, reason = "a failure must fail the test")]

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command},
};

use rstest::rstest;
use todostack_dev_postgres::programs_folder;

const SCRIPT: &str = concat!(
    include_str!("../src/resources/volume.sh"),
    include_str!("../src/resources/access.sh"),
    include_str!("../src/resources/postgres_start.sh")
);
const ENTRYPOINT: &str = include_str!("../../testbed/postgres/docker-entrypoint.sh");
/// Folder of the init scripts in the container.
const INIT: &str = "/docker-entrypoint-initdb.d";

/// What a pod has: the volume, its temporary directories, the Secret and the ConfigMap.
struct Pod {
    folder: tempfile::TempDir,
    port: u16,
}

/// The container of the server. Its processes end with it.
struct Container<'a> {
    pod: &'a Pod,
    process: Child,
}

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let pod = Self { folder, port };
        for name in ["bin", "init", "secret", "sockets", "tmp", "volume"] {
            fs::create_dir(pod.path(name)).unwrap();
        }
        fs::write(pod.path("secret/username"), "postgres").unwrap();
        fs::write(pod.path("secret/password"), "hush-4f1b").unwrap();
        let sockets = format!("PGHOST={}", pod.path("sockets").display());
        let entrypoint = pod.path("bin/docker-entrypoint.sh");
        fs::write(&entrypoint, pod.adapted(ENTRYPOINT).replace("PGHOST=''", &sockets)).unwrap();
        fs::set_permissions(&entrypoint, fs::Permissions::from_mode(0o755)).unwrap();
        pod.give_to_server();
        pod
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("volume/15/docker")
    }

    fn adapted(&self, script: &str) -> String {
        script.replace(INIT, self.path("init").to_str().unwrap())
    }

    fn init_script(&self, name: &str, text: &str) {
        fs::write(self.path("init").join(name), text).unwrap();
        self.give_to_server();
    }

    fn give_to_server(&self) {
        let status = Command::new("chown").args(["-R", "postgres"]).arg(self.folder.path()).status();
        assert!(status.unwrap().success(), "these tests run as root");
    }

    fn start(&self, parameters: &[&str]) -> Container<'_> {
        let output = File::create(self.path("output")).unwrap();
        let sockets = format!("unix_socket_directories={}", self.path("sockets").display());
        let mut command = self.command("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "/bin/sh", "-c"]);
        command.args([&self.adapted(SCRIPT), "start", "postgres", "-c", &sockets, "-c", "fsync=off"]);
        for parameter in parameters {
            command.args(["-c", parameter]);
        }
        // A container ends with all of its processes, so those of one are in a group.
        command.process_group(0).stdout(output.try_clone().unwrap()).stderr(output);
        let process = command.spawn().unwrap();
        Container { pod: self, process }
    }

    #[expect(clippy::disallowed_methods, reason = "the script finds the shell's programs in PATH")]
    fn command(&self, program: &str) -> Command {
        let folders = [self.path("bin"), programs_folder().unwrap()].map(|it| it.display().to_string());
        let path = format!("{}:{}", folders.join(":"), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.env("PATH", path).env("PGDATA", self.data()).env("PGPORT", self.port.to_string());
        command.env("VOLUME_REPORT", self.path("report")).env("VOLUME_WAITS", self.path("tmp/waits"));
        command.env("VOLUME_TRIES", "1").env("START_SECRET", self.path("secret"));
        command.env("START_SOCKETS", self.path("sockets")).env("START_TEMPORARY", self.path("tmp"));
        command.env("POSTGRES_USER_FILE", self.path("secret/username")).env("POSTGRES_DB", "todo");
        command.env("POSTGRES_PASSWORD_FILE", self.path("secret/password"));
        command
    }

    /// Waits until a line of shell succeeds.
    fn until(&self, line: &str) {
        let line = format!("until {line}; do sleep 0.1; done");
        let status = self.command("timeout").args(["60", "/bin/sh", "-c", &line]).status().unwrap();
        assert!(status.success(), "{line}\n{}", self.output());
    }

    fn until_password_is_set(&self) {
        let query = "select rolpassword like 'SCRAM-SHA-256%' from pg_authid where rolname = 'postgres'";
        let jobs = "select rolpassword like 'SCRAM-SHA-256%' from pg_authid where rolname = 'todostack_jobs'";
        for query in [query, jobs] {
            self.until(&format!("pg_isready --quiet --host=127.0.0.1 && [ \"$({})\" = t ]", psql(query)));
        }
    }

    fn query(&self, query: &str) -> String {
        let output = self.command("/bin/sh").args(["-c", &psql(query)]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn output(&self) -> String {
        fs::read_to_string(self.path("output")).unwrap()
    }
}

fn psql(query: &str) -> String {
    format!(
        "psql --no-psqlrc --host=\"$START_SOCKETS\" --username=postgres --dbname=todo --tuples-only --no-align --command=\"{query}\""
    )
}

impl Container<'_> {
    /// The report of a container that refuses to start.
    fn refuses(mut self) -> serde_json::Value {
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), Some(1), "{}", self.pod.output());
        serde_json::from_str(&fs::read_to_string(self.pod.path("report")).unwrap()).unwrap()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let server = fs::read_to_string(self.pod.data().join("postmaster.pid")).unwrap_or_default();
        let group = format!("-{}", self.process.id());
        for process in [group.as_str()].into_iter().chain(server.lines().take(1)) {
            // It fails if they have exited.
            let _ = Command::new("kill").args(["-QUIT", "--", process]).status();
        }
        let _ = self.process.wait();
        // What a shell without job control starts in the background ignores SIGQUIT.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        self.pod.until("flock --nonblock \"${PGDATA%/*/*}/.todostack.lock\" true");
    }
}

#[test]
fn an_empty_volume_is_initialized_and_every_process_of_the_server_has_the_lock() {
    let pod = Pod::new();
    pod.init_script("10-seed.sql", "create table seed as select 1 as id;");
    let container = pod.start(&[]);
    pod.until_password_is_set();
    assert_eq!(pod.query("select id from seed"), "1");
    assert_eq!(pod.query("show listen_addresses"), "localhost");
    assert!(!pod.path("volume/15/.todostack-unfinished").exists());
    let server = container.process.id().to_string();
    let children = Command::new("pgrep").args(["--parent", &server]).output().unwrap().stdout;
    let children = String::from_utf8(children).unwrap();
    let backends: Vec<_> = children.lines().filter(|pid| is_postgres(pid)).collect();
    assert!(backends.len() > 3, "{children}");
    for pid in backends {
        let file = fs::read_link(format!("/proc/{pid}/fd/9")).unwrap();
        assert_eq!(file, pod.path("volume/.todostack.lock"));
    }
    assert_eq!(pod.start(&[]).process.wait().unwrap().code(), Some(1));
    let report = fs::read_to_string(pod.path("report")).unwrap();
    assert!(report.contains("\"inuse\""), "{report}");
}

fn is_postgres(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with("postgres:"))
}

#[test]
fn a_restart_keeps_data_and_sets_the_password_of_the_secret() {
    let pod = Pod::new();
    let container = pod.start(&[]);
    pod.until_password_is_set();
    pod.query("create table kept as select 1 as id");
    pod.query("alter role postgres password null");
    drop(container);
    let _container = pod.start(&[]);
    pod.until_password_is_set();
    assert_eq!(pod.query("select id from kept"), "1");
}

#[rstest]
#[case::sql(
    "20-bad.sql",
    "select 1;\ninsert into nowhere values (1);",
    "20-bad.sql:2: ERROR:  relation \"nowhere\""
)]
#[case::shell("20-bad.sh", "echo \"it is \\\"broken\\\"\"\nfalse", "it is \"broken\"")]
#[case::exit("20-bad.sh", "echo bye\nexit 0", "bye")]
fn a_database_whose_init_script_failed_never_starts_and_begins_again_with_the_next_start(
    #[case] name: &str,
    #[case] text: &str,
    #[case] error: &str,
) {
    let pod = Pod::new();
    pod.init_script("10-good.sql", "create table seed as select 1 as id;");
    pod.init_script(name, text);
    pod.init_script("30-late.sql", "create table late (id int);");
    for _ in 0..2 {
        let report = pod.start(&[]).refuses();
        assert_eq!((&report["check"], &report["path"]), (&"script".into(), &name.into()));
        assert!(report["found"].as_str().unwrap().contains(error), "{report}");
    }
    pod.init_script(name, "");
    let _container = pod.start(&[]);
    pod.until_password_is_set();
    assert_eq!(pod.query("select count(*) from late"), "0");
}

#[test]
fn an_interrupted_initialization_begins_again() {
    let pod = Pod::new();
    pod.init_script("10-long.sql", "create table long (id int);\nselect pg_sleep(600);");
    let container = pod.start(&[]);
    pod.until("grep --quiet 10-long \"$START_TEMPORARY/.todostack-log\"");
    drop(container);
    pod.init_script("10-long.sql", "create table long (id int);");
    let container = pod.start(&[]);
    pod.until_password_is_set();
    assert_eq!(pod.query("select count(*) from long"), "0");
    drop(container);
}

// As on a volume that was restored with the file.
#[test]
fn a_database_whose_identity_is_known_is_never_removed() {
    let pod = Pod::new();
    let container = pod.start(&[]);
    pod.until_password_is_set();
    pod.query("create table kept as select 1 as id");
    drop(container);
    fs::write(pod.path("volume/15/.todostack-unfinished"), "").unwrap();
    fs::write(pod.path("secret/system-identifier"), "7712457407423090738").unwrap();
    pod.give_to_server();
    let _container = pod.start(&[]);
    pod.until_password_is_set();
    assert_eq!(pod.query("select id from kept"), "1");
}

// What keeps psql from setting the password must not end the sessions of the API: the server takes a child
// that exits with 2 or 3 for a crashed one.
#[rstest]
#[case::read_only(&["default_transaction_read_only=on"])]
#[case::timeout(&["statement_timeout=1"])]
#[case::both(&["default_transaction_read_only=on", "statement_timeout=1"])]
fn settings_of_sessions_do_not_prevent_the_password(#[case] parameters: &[&str]) {
    let pod = Pod::new();
    let container = pod.start(&[]);
    pod.until_password_is_set();
    pod.query("alter role postgres password null");
    drop(container);
    let _container = pod.start(parameters);
    pod.until("pg_isready --quiet --host=127.0.0.1");
    pod.until_password_is_set();
    assert!(!pod.output().contains("reinitializing"), "{}", pod.output());
}

#[test]
fn a_password_that_cannot_be_set_is_reported_without_a_recovery_and_set_later() {
    let pod = Pod::new();
    let rules = "local all all reject\nhost all all 127.0.0.1/32 trust\n";
    pod.init_script("10-rules.sh", &format!("printf '{rules}' > \"$PGDATA/pg_hba.conf\""));
    let _container = pod.start(&[]);
    let failure = "\"$START_TEMPORARY/.todostack-superuser\"";
    pod.until(&format!("grep --quiet 'pg_hba.conf rejects' {failure}"));
    assert!(!pod.output().contains("terminating any other active"), "{}", pod.output());
    // As the remedy says.
    pod.until("sed -i '1i local all postgres trust' \"$PGDATA/pg_hba.conf\" && [ -n \"$PGDATA\" ]");
    pod.until("kill -HUP $(head -n 1 \"$PGDATA/postmaster.pid\")");
    pod.until(&format!("[ ! -e {failure} ]"));
    pod.until_password_is_set();
}
