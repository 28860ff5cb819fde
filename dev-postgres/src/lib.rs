//! A temporary Postgres server for tests and benchmarks, and a PgBouncer in front of one: started on a free
//! port, removed when dropped. No schema and no data, which callers bring.
//!
//! ```no_run
//! use todostack_dev_postgres::{Options, Postgres};
//!
//! let options = Options::default().setting("max_connections", "300").without_durability();
//! let postgres = Postgres::start(&options)?;
//! println!("DATABASE_URL={}", postgres.url());
//! # Ok::<(), todostack_dev_postgres::Error>(())
//! ```
//!
//! Postgres does not run as root; when started by root, the server runs as the user `postgres` of its
//! package.

mod installed;
mod pgbouncer;

use std::{
    fs::OpenOptions,
    io::Write as _,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::installed::User;
pub use crate::{installed::programs_folder, pgbouncer::PgBouncer};

// A server that was killed recovers first, and the kernel may still be ending the killed processes, which
// hold its shared memory.
const RESTART_TIMEOUT: Duration = Duration::from_secs(20);

type Result<T> = std::result::Result<T, Error>;

/// Why a temporary server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("failed to find initdb in /usr/lib/postgresql/*/bin and on PATH: install the package postgresql")]
    NotInstalled,
    #[error("failed to find pgbouncer on PATH and in /usr/sbin: run `apt-get install pgbouncer`")]
    NoPgBouncer,
    #[error(
        "failed to find the user postgres, which runs the server for root: install the package postgresql"
    )]
    NoUser,
    #[error("failed to write the folder of the temporary Postgres")]
    Folder(#[source] std::io::Error),
    #[error("failed to find a free port for the temporary Postgres")]
    Port(#[source] std::io::Error),
    #[error("failed to run {program}")]
    NoProgram { program: String, source: std::io::Error },
    /// `output` is what it wrote to its standard error or the server to its log, on one line.
    #[error("{program} failed: {output}")]
    Failed { program: String, output: String },
}

/// How a temporary server differs from the defaults of Postgres.
#[derive(Debug, Default)]
pub struct Options {
    /// Lines of `postgresql.conf`.
    settings: Vec<String>,
    write_ahead_log: Option<PathBuf>,
}

impl Options {
    /// Sets a parameter of `postgresql.conf`.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push(format!("{name} = '{}'\n", value.replace('\'', "''")));
        self
    }

    /// Does not wait for the disk: faster, but a crash of the machine can lose data that was committed.
    pub fn without_durability(self) -> Self {
        self.setting("fsync", "off").setting("synchronous_commit", "off").setting("full_page_writes", "off")
    }

    /// Puts the write-ahead log into an empty folder, such as one on another disk. It then grows by 1 MiB at
    /// a time.
    pub fn write_ahead_log_in(self, folder: &Path) -> Self {
        Self { write_ahead_log: Some(folder.to_owned()), ..self }
    }
}

/// A data directory and, unless it was killed or failed, a server on it.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    user: Option<User>,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Creates a database cluster and starts a server on it, both of the newest installed version.
    pub fn start(options: &Options) -> Result<Self> {
        let folder = TempDir::with_prefix("todostack-dev-postgres-").map_err(Error::Folder)?;
        let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = address.map_err(Error::Port)?.port();
        let server = Self { programs: programs_folder()?, user: User::of_servers()?, folder, port };
        server.give_folder(server.folder.path())?;
        server.initialize(options)?;
        server.start_once()?;
        Ok(server)
    }

    /// Connects as the superuser to the database `postgres`, without a password.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port on 127.0.0.1; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of `psql`, `pgbench` and the other programs of the server's version.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Makes the user that the server runs as the owner of a folder, so that the folder can be a tablespace.
    pub fn give_folder(&self, folder: &Path) -> Result<()> {
        let Some(User { uid, gid }) = self.user else { return Ok(()) };
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).map_err(Error::Folder)
    }

    /// Kills all processes of the server at once, as a failure of the machine would. Returns whether the
    /// server was running.
    pub fn kill(&self) -> Result<bool> {
        let Ok(file) = fs::read_to_string(self.data().join("postmaster.pid")) else { return Ok(false) };
        let Some(server) = file.lines().next() else { return Ok(false) };
        // All processes of a server are children of its first.
        let children = Command::new("pgrep").args(["--parent", server]).output();
        let children = children.map_err(|source| Error::NoProgram { program: "pgrep".to_owned(), source })?;
        let children = String::from_utf8_lossy(&children.stdout);
        for pid in std::iter::once(server).chain(children.split_whitespace()) {
            if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
                // It fails when the process has exited already.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        Ok(true)
    }

    /// Starts the server again after [`Postgres::kill`], and waits until it accepts connections.
    pub fn restart(&self) -> Result<()> {
        let deadline = Instant::now() + RESTART_TIMEOUT;
        loop {
            let started = self.start_once();
            if started.is_ok() || Instant::now() >= deadline {
                return started;
            }
        }
    }

    fn initialize(&self, options: &Options) -> Result<()> {
        let mut initdb = self.program("initdb");
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.arg("--pgdata").arg(self.data());
        if let Some(log) = &options.write_ahead_log {
            self.give_folder(log)?;
            initdb.arg("--waldir").arg(log).arg("--wal-segsize=1");
        }
        run(initdb)?;
        let folder = self.folder.path().display();
        let configuration = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\n{}",
            self.port,
            options.settings.concat()
        );
        // Appended, since the last of several values counts.
        let file = OpenOptions::new().append(true).open(self.data().join("postgresql.conf"));
        file.and_then(|mut file| file.write_all(configuration.as_bytes())).map_err(Error::Folder)
    }

    fn start_once(&self) -> Result<()> {
        let log = self.folder.path().join("log");
        let mut start = self.program("pg_ctl");
        start.args(["start", "--wait", "--silent", "--pgdata"]).arg(self.data()).arg("--log").arg(&log);
        run(start).map_err(|error| match error {
            Error::Failed { program, .. } => {
                let log = fs::read_to_string(&log).unwrap_or_default();
                Error::Failed { program, output: on_one_line(&log) }
            }
            other => other,
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]).arg(self.data());
        // It fails when no server runs, as after a kill.
        drop(stop.output());
    }
}

fn run(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output = output.map_err(|source| Error::NoProgram { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed { program, output: on_one_line(&String::from_utf8_lossy(&output.stderr)) })
}

fn on_one_line(output: &str) -> String {
    output.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
