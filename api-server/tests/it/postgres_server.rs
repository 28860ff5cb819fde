//! A Postgres server of one test's own, that may be killed and started again.

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use todostack_store_postgres::PgConnectOptions;

/// A data directory and, most of the time, a server on it.
pub struct PostgresServer {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl PostgresServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Its write-ahead log is in `folder`, which may be on another disk, and grows by 1 MiB at a time.
    pub fn start_with_log_in(folder: &Path) -> Self {
        give(folder);
        Self::start_with(&["--wal-segsize=1", "--waldir", folder.to_str().unwrap()])
    }

    fn start_with(options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { programs: programs(), folder: tempfile::tempdir().unwrap(), port };
        give(server.folder.path());
        let data = server.data();
        let arguments = ["--auth=trust", "--username=postgres", "--pgdata", data.to_str().unwrap()];
        server.run("initdb", &[&arguments[..], options].concat());
        server.run_again();
        server
    }

    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("postgres")
            .database("postgres")
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.unwrap()
    }

    /// Starts it (again), and waits until it answers.
    pub fn run_again(&self) {
        let options =
            format!("-p {} -k {} -c listen_addresses=127.0.0.1", self.port, self.folder.path().display());
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let arguments = ["start", "--wait", "--silent", "--pgdata", data.to_str().unwrap()];
        let arguments = [&arguments[..], &["--log", log.to_str().unwrap(), "--options", &options]].concat();
        let deadline = Instant::now() + Duration::from_secs(20);
        // Processes that were killed hold the shared memory until the kernel has ended them.
        while !self.try_run("pg_ctl", &arguments) {
            assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&log).unwrap_or_default());
        }
    }

    /// Makes a database of which all tables are in `folder`, which may be on another disk.
    pub async fn database_in(&self, folder: &Path) -> PgConnectOptions {
        give(folder);
        let mut connection = self.connect().await;
        let tablespace = format!("create tablespace elsewhere location '{}'", folder.display());
        for statement in [&*tablespace, "create database elsewhere tablespace elsewhere"] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        self.options().database("elsewhere")
    }

    /// Ends it as a failing machine would: no process of it gets to do anything more.
    pub fn kill(&self) {
        kill(&self.pid().expect("the server runs"));
    }

    /// The same for one that may have ended by itself.
    pub fn kill_if_it_runs(&self) {
        if let Some(pid) = self.pid() {
            kill(&pid);
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn pid(&self) -> Option<String> {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.try_run(program, arguments), "{program} {arguments:?}");
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(user) = unprivileged() {
            command.uid(user);
        }
        command.status().unwrap().success()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill_if_it_runs();
    }
}

fn kill(pid: &str) {
    // All processes of a server are children of its first.
    let children = Command::new("pgrep").args(["--parent", pid]).output().unwrap();
    let children = String::from_utf8(children.stdout).unwrap();
    let all: Vec<_> = std::iter::once(pid).chain(children.split_whitespace()).collect();
    Command::new("kill").arg("-KILL").args(all).stderr(Stdio::null()).status().unwrap();
}

/// To the user that servers run as.
fn give(folder: &Path) {
    if let Some(user) = unprivileged() {
        std::os::unix::fs::chown(folder, Some(user), None).unwrap();
    }
}

/// Postgres refuses to run as root; then it runs as the user of its package.
fn unprivileged() -> Option<u32> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().unwrap();
        assert!(output.status.success(), "install postgresql: its package brings the user postgres");
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (id(&["-u"]) == 0).then(|| id(&["-u", "postgres"]))
}

/// Where the newest initdb is.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    folders.splice(0..0, std::env::split_paths(&in_path).map(|path| path.as_path().to_owned()));
    let found = folders.into_iter().rev().find(|folder| Path::new(folder).join("initdb").exists());
    found.expect("install postgresql: initdb is neither in PATH nor in /usr/lib/postgresql/*/bin")
}
